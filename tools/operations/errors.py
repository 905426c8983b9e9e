"""Errors of commands that do nothing, because of how they were called or answered."""

from settings import OperatorError


class InputError(OperatorError):
    """A command cannot run as it was called; nothing was done."""

    exit_code = 2
