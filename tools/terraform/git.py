"""Reading the history of this project."""

import subprocess

from components.paths import PROJECT


def git(*arguments: str) -> bytes:
    """What git prints in the project's folder; nothing if there is no git or no repository."""
    try:
        return subprocess.run(["git", *arguments], cwd=PROJECT, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""
