"""Files, folders and ports of commands, checked before minutes of work; and exports for a shell."""

import shlex
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.operations.errors import InputError

LOOPBACK: Final = "127.0.0.1"


def writable_folder(path: Path, option: str) -> None:
    """Create a folder unless it exists, and check that it is writable.

    Args:
        path: the folder.
        option: the option that gave it.

    Raises:
        InputError: it is not writable.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _refused(path, option, error, "a folder that you may write to") from error


def writable_file(path: Path, option: str) -> None:
    """Create the folder of a file, and check that the file is writable; its content stays.

    Args:
        path: the file.
        option: the option that gave it.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if is_new:
            path.unlink()
    except OSError as error:
        raise _refused(path, option, error, "a file that you may write") from error


def free_port(port: int) -> None:
    """Check that a loopback port can be used; 0 is any free one.

    Raises:
        InputError: it is in use or not permitted.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended does not block it
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError as error:
            raise InputError(
                f"Port {port} of {LOOPBACK} cannot be used ({error.strerror}). Give another --port; 0 takes a free one."
            ) from error


def exports(variables: Mapping[str, str]) -> str:
    """Shell lines that export variables, with quoted values."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _refused(path: Path, option: str, error: OSError, alternative: str) -> InputError:
    reason = "part of the path is a file" if isinstance(error, FileExistsError) else error.strerror
    return InputError(f"{option} {path} cannot be written ({reason}). Give {alternative}.")
