"""What the workflows say on GitHub and ask of it."""

from collections.abc import Iterator

import pytest

from operations.github import GitHubError, Repository
from tests.local.github import GitHub, running


@pytest.fixture
def github() -> Iterator[GitHub]:
    with running() as found:
        yield found


@pytest.fixture
def repository(github: GitHub) -> Repository:
    return Repository.of_workflow(github.environment())


def test_a_comment_is_written_over_the_one_with_the_same_first_line_however_many_there_are(
    github: GitHub, repository: Repository
) -> None:
    for number in range(150):
        repository.comment_once(7, f"<!-- {number} -->\nfirst")
    repository.comment_once(7, "<!-- 149 -->\nsecond")
    repository.comment_once(8, "<!-- 149 -->\nof another pull request")
    assert len(github.comments) == 151
    assert github.comments[149]["body"] == "<!-- 149 -->\nsecond"


def test_the_run_that_planned_a_commit_is_the_latest_of_its_pull_request(
    github: GitHub, repository: Repository
) -> None:
    github.pulls["abc"] = [{"number": 7, "merged_at": "2026-11-24T00:00:00Z", "head": {"sha": "def"}}]
    github.runs = [{"id": 1, "head_sha": "def"}, {"id": 3, "head_sha": "def"}, {"id": 9, "head_sha": "other"}]
    assert repository.run_of_plan("abc") == 3


@pytest.mark.parametrize(
    ("pulls", "words"),
    [
        ([], "came from no merged pull request"),
        ([{"number": 7, "merged_at": None, "head": {"sha": "def"}}], "came from no merged pull request"),
        ([{"number": 7, "merged_at": "2026", "head": {"sha": "def"}}], "Nothing was planned for def"),
    ],
)
def test_a_commit_that_nobody_reviewed_a_plan_of_is_refused(
    github: GitHub, repository: Repository, pulls: list[dict[str, object]], words: str
) -> None:
    github.pulls["abc"] = pulls
    with pytest.raises(GitHubError, match=words):
        repository.run_of_plan("abc")


def test_another_environments_drift_is_another_issue(github: GitHub, repository: Repository) -> None:
    repository.tell_drift("dev", "a")
    repository.tell_drift("prod", "b")
    repository.tell_drift("dev", None)
    repository.tell_drift("dev", None)
    assert [(issue["title"], issue["state"]) for issue in github.issues] == [
        ("Drift in dev", "closed"),
        ("Drift in prod", "open"),
    ]


def test_a_refusal_says_what_was_asked_and_shows_no_token(github: GitHub) -> None:
    stranger = Repository(github.url, "example/live", "wrong")
    with pytest.raises(GitHubError, match=r"GET .*issues/7/comments.*401") as refused:
        stranger.comment_once(7, "x")
    assert "wrong" not in str(refused.value)


def test_outside_a_workflow_it_says_what_is_missing() -> None:
    with pytest.raises(GitHubError, match="GITHUB_REPOSITORY and GITHUB_TOKEN not set"):
        Repository.of_workflow({})
