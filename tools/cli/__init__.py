"""The command line, `media-workflow COMMAND`. What the commands do is elsewhere; only tests import this package."""
