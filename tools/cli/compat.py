"""`media-workflow compat`."""

import typer


def compat() -> None:
    """Compare what provider 6 and CDK Terrain synthesize; exit 1 if it differs."""
    from tools.compat.__main__ import main

    raise typer.Exit(main())
