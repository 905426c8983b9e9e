"""What commands write and listen on: made sure of before minutes of work, and printed for a shell."""

import shlex
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tools.operations.errors import InputError

LOOPBACK: Final = "127.0.0.1"


def writable_folder(path: Path, option: str) -> None:
    """Create a folder, unless it is there, and try to write to it.

    Args:
        path: what was given.
        option: by which option.

    Raises:
        InputError: no file can be written to it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise _refused(path, option, error, "a folder that you may write to") from error


def writable_file(path: Path, option: str) -> None:
    """Create the folder of a file, and try to write the file; what it holds stays.

    Args:
        path: what was given.
        option: by which option.

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
    """Try to listen on a loopback port; 0 is any free one.

    Raises:
        InputError: the port is in use, or may not be used.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a server that has just ended is no obstacle
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()
        except OSError as error:
            raise InputError(
                f"Port {port} of {LOOPBACK} cannot be used ({error.strerror}). Give another --port; 0 takes a free one."
            ) from error


def exports(variables: Mapping[str, str]) -> str:
    """Lines for a shell that export variables, whatever their values hold."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _refused(path: Path, option: str, error: OSError, instead: str) -> InputError:
    why = "part of the path is a file" if isinstance(error, FileExistsError) else error.strerror
    return InputError(f"{option} {path} cannot be written ({why}). Give {instead}.")
