"""`media-workflow ci-access`."""

from tools.cli.shared import EnvironmentName, Yes, print_error


def ci_access(environment: EnvironmentName, *, yes: Yes = False) -> None:
    """Create or update the roles with which a pipeline plans and applies an environment. Safe to run again."""
    from tools.operations import deployment

    deployment.access(environment, agreed=yes, warn=print_error)
