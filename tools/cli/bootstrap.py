"""`media-workflow bootstrap`."""

from tools.cli.shared import EnvironmentName, Yes


def bootstrap(environment: EnvironmentName, *, yes: Yes = False) -> None:
    """Create the bucket for Terraform's state, or adopt the one that exists. Safe to run again."""
    from tools.operations import deployment

    deployment.bootstrap(environment, agreed=yes)
