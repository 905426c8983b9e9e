"""What the workflows say on GitHub, one comment a pull request and one issue while there is drift; and its ids.

Knows GitHub's interface and nothing of what is said. Address, repository and token come from the variables that
GitHub Actions sets.
"""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError, URLError

from settings import OperatorError

PAGE: Final = 100
TIMEOUT_SECONDS: Final = 30
PLAN_WORKFLOW: Final = "plan.yml"
NEEDED: Final = ("GITHUB_REPOSITORY", "GITHUB_TOKEN")
PUBLIC_API: Final = "https://api.github.com"
DRIFT_TITLE: Final = "Drift in {environment}"


class GitHubError(OperatorError):
    """GitHub could not be asked, or said no; the text says what was asked and what came back."""


def description_of_pull_request(environ: Mapping[str, str]) -> str:
    """The description of the pull request that a workflow runs for, of any length.

    GitHub writes the event to a file. A variable is no place for it: Linux starts no program with one of 128 KiB.

    Raises:
        GitHubError: this is no workflow of a pull request.
    """
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))["pull_request"]["body"] or ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GitHubError(
            f"GITHUB_EVENT_PATH ({path or 'not set'}) holds no event of a pull request: this runs in a GitHub workflow "
            "with `on: pull_request`."
        ) from error


@dataclass(frozen=True, slots=True)
class Identity:
    """What GitHub calls a repository: its name as tokens spell it, and the numbers that no rename changes."""

    name: str
    owner_id: int
    repository_id: int


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository, and the right to write to it."""

    api: str
    name: str
    token: str

    @classmethod
    def of_workflow(cls, environ: Mapping[str, str]) -> "Repository":
        """The repository that a workflow runs for.

        Raises:
            GitHubError: a variable is missing.
        """
        missing = [name for name in NEEDED if not environ.get(name)]
        if missing:
            raise GitHubError(
                f"{' and '.join(missing)} not set: this runs in a GitHub workflow, which hands over its token with "
                "`env: GITHUB_TOKEN: ${{ github.token }}`."
            )
        return cls(
            environ.get("GITHUB_API_URL") or PUBLIC_API,
            environ["GITHUB_REPOSITORY"],
            environ["GITHUB_TOKEN"],
        )

    @classmethod
    def named(cls, name: str, environ: Mapping[str, str]) -> "Repository":
        """A repository to read from, outside a workflow, too; a public one needs no token."""
        return cls(environ.get("GITHUB_API_URL") or PUBLIC_API, name, environ.get("GITHUB_TOKEN") or "")

    def identity(self) -> Identity:
        """What GitHub calls this repository. GitHub redirects from a former name to the present one.

        Raises:
            GitHubError: there is no such repository, or the token may not see it.
        """
        found = self._ask("GET", "")
        return Identity(found["full_name"], int(found["owner"]["id"]), int(found["id"]))

    def comment_once(self, number: int, text: str) -> None:
        """Write a comment, over the one that begins with the same line if there is one."""
        marker = text.partition("\n")[0]
        for comment in self._all(f"issues/{number}/comments"):
            if comment["body"].partition("\n")[0].strip() == marker:
                self._ask("PATCH", f"issues/comments/{comment['id']}", {"body": text})
                return
        self._ask("POST", f"issues/{number}/comments", {"body": text})

    def report_drift(self, environment: str, text: str | None) -> None:
        """Open the issue of an environment's drift or write over it; with None, close it if it is open."""
        title = DRIFT_TITLE.format(environment=environment)
        known = [
            issue for issue in self._all("issues?state=open") if issue["title"] == title and "pull_request" not in issue
        ]
        if text is None:
            for issue in known:
                self._ask("PATCH", f"issues/{issue['number']}", {"state": "closed", "state_reason": "completed"})
        elif known:
            self._ask("PATCH", f"issues/{known[0]['number']}", {"body": text})
        else:
            self._ask("POST", "issues", {"title": title, "body": text})

    def run_of_plan(self, commit: str) -> int:
        """The latest run that planned the pull request which a commit came from.

        Raises:
            GitHubError: the commit came from no pull request, or nothing was planned for it.
        """
        pulls = self._ask("GET", f"commits/{commit}/pulls")
        merged = [pull for pull in pulls if pull.get("merged_at")]
        if not merged:
            raise GitHubError(f"{commit} came from no merged pull request, so no plan of it was reviewed.")
        head = merged[-1]["head"]["sha"]
        runs = self._ask("GET", f"actions/workflows/{PLAN_WORKFLOW}/runs?head_sha={head}&event=pull_request")
        ids = [int(run["id"]) for run in runs["workflow_runs"]]
        if not ids:
            raise GitHubError(
                f"Nothing was planned for {head}, the last commit of pull request {merged[-1]['number']}."
            )
        return max(ids)

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._ask("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        url = f"{self.api}/repos/{self.name}/{path}".removesuffix("/")
        request = urllib.request.Request(  # noqa: S310  the address is GitHub's own variable
            url,
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Accept": "application/vnd.github+json",
                **({"Authorization": f"Bearer {self.token}"} if self.token else {}),
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
                return json.loads(answer.read() or b"null")
        except HTTPError as error:
            error.close()  # it is the answer, too, and holds its connection
            raise GitHubError(f"{method} {url}: {error}") from error
        except (URLError, TimeoutError, ValueError) as error:
            raise GitHubError(f"{method} {url}: {error}") from error
