"""Requests to GitHub: comments, drift issues, workflow runs, and repository ids for the settings."""

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import SettingsError
from tests.local.github import GitHub, running
from tools.operations.github import GitHubError, Identity, Repository
from tools.operations.identity import with_ids, write_ids


@pytest.fixture
def github() -> Iterator[GitHub]:
    with running() as found:
        yield found


@pytest.fixture
def repository(github: GitHub) -> Repository:
    return Repository.of_workflow(github.environment())


def test_comment_replaces_the_one_with_the_same_first_line(github: GitHub, repository: Repository) -> None:
    for number in range(150):
        repository.comment_once(7, f"<!-- {number} -->\nfirst")
    repository.comment_once(7, "<!-- 149 -->\nsecond")
    repository.comment_once(8, "<!-- 149 -->\nof another pull request")
    assert len(github.comments) == 151
    assert github.comments[149]["body"] == "<!-- 149 -->\nsecond"


def test_run_of_plan_is_the_latest_of_its_pull_request(github: GitHub, repository: Repository) -> None:
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
def test_commit_without_a_reviewed_plan_is_refused(
    github: GitHub, repository: Repository, pulls: list[dict[str, object]], words: str
) -> None:
    github.pulls["abc"] = pulls
    with pytest.raises(GitHubError, match=words):
        repository.run_of_plan("abc")


def test_each_environment_has_its_own_drift_issue(github: GitHub, repository: Repository) -> None:
    repository.report_drift("dev", "a")
    repository.report_drift("prod", "b")
    repository.report_drift("dev", None)
    repository.report_drift("dev", None)
    assert [(issue["title"], issue["state"]) for issue in github.issues] == [
        ("Drift in dev", "closed"),
        ("Drift in prod", "open"),
    ]


def test_failed_request_shows_no_token(github: GitHub) -> None:
    stranger = Repository(github.url, "example/live", "wrong")
    with pytest.raises(GitHubError, match=r"GET .*issues/7/comments.*401") as refused:
        stranger.comment_once(7, "x")
    assert "wrong" not in str(refused.value)


def test_missing_workflow_variables_are_named() -> None:
    with pytest.raises(GitHubError, match="GITHUB_REPOSITORY and GITHUB_TOKEN not set"):
        Repository.of_workflow({})


SETTINGS = """\
# Who may deploy
region = "us-east-1"   # near the venue

[ci]   # the pipeline
repository = "example/live"  # ours
branch = "main"

# Recipients
[[notifications]]
protocol = "email"
"""


def written(root: Path, text: str) -> Path:
    """A settings file with this text, byte for byte."""
    path = root / "environments" / "lab.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", [SETTINGS, SETTINGS.replace("\n", "\r\n"), SETTINGS[: SETTINGS.index("branch") - 1]])
def test_ids_are_written_and_every_other_byte_stays(github: GitHub, tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert write_ids("lab", root=tmp_path, environ=github.environment()) == Identity("example/live", 123456, 456789)
    found = path.read_bytes().decode()
    ending = "\r\n" if "\r" in text else "\n"
    added = f"owner_id = 123456{ending}repository_id = 456789{ending}"
    assert added in found
    assert found.replace(added, "").rstrip() == text.rstrip()
    assert [item.name for item in path.parent.iterdir()] == ["lab.toml"]


def test_existing_ids_are_replaced_in_place(github: GitHub, tmp_path: Path) -> None:
    wrong = SETTINGS.replace("branch =", "repository_id = 7 # of the fork\nbranch =")
    path = written(tmp_path, wrong)
    write_ids("lab", root=tmp_path, environ=github.environment())
    write_ids("lab", root=tmp_path, environ=github.environment())
    text = path.read_text(encoding="utf-8")
    assert "repository_id = 456789 # of the fork\n" in text
    assert tomllib.loads(text)["ci"]["owner_id"] == 123456


@pytest.mark.parametrize(
    "text",
    [
        'ci = { repository = "example/live" }\n',
        'ci.repository = "example/live"\n',
        'x = """\n[ci]\n"""\nci.repository = "example/live"\n',
        '[ci]\nrepository = "example/live"\nowner_id = "seven"\n',
    ],
)
def test_table_in_another_form_is_left_alone(github: GitHub, tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match="add owner_id = 123456 and repository_id = 456789 there yourself"):
        write_ids("lab", root=tmp_path, environ=github.environment())
    assert path.read_text(encoding="utf-8") == text


def test_with_ids_refuses_a_table_it_cannot_edit() -> None:
    with pytest.raises(ValueError, match=r"no line \[ci\]"):
        with_ids('ci = { repository = "example/live" }\n', owner_id=1, repository_id=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[ci\n", "lab.toml cannot be read"),
        ("[tags]\n", "ci.repository: is needed; give owner/name"),
        ('[ci]\nrepository = "live"\n', "ci.repository is live: is needed; give owner/name"),
        ('[ci]\nrepository = "Example/live"\n', None),
        ('[ci]\nrepository = "example/before"\n', 'is "example/live" on GitHub and in its tokens'),
    ],
)
def test_wrong_repository_name_is_refused(github: GitHub, tmp_path: Path, text: str, words: str | None) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError if words else GitHubError, match=words or "404"):
        write_ids("lab", root=tmp_path, environ=github.environment())
    assert path.read_text(encoding="utf-8") == text


def test_github_ids_refuses_settings_without_repository(github: GitHub) -> None:
    def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "tools.cli", "github-ids", *arguments],
            env={**os.environ, **github.environment(), **environ}, capture_output=True, text=True, check=False,
        )  # fmt: skip

    refused = run("dev")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "environments/dev.toml: ci.repository: is needed" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert github.requests == []
