"""The commands of the README run as they stand, in order, in a clone of the project against the local AWS."""

from tests.local.pages import Clone, play


def test_readme_runs_from_bootstrap_to_destroy(clone: Clone) -> None:
    play(clone, "README.md")
