"""What a command refuses to do as it was called."""


class InputError(ValueError):
    """A command cannot run as it was called; the text says what to change. Ends with exit code 2, nothing done."""
