"""GitHub for the workflows: one comment per pull request, one issue per environment with drift, repository ids.

Knows GitHub's API and nothing about the texts. Address, repository and token come from the variables that GitHub
Actions sets.
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
    """A request to GitHub failed; the text holds the request and the response."""


def description_of_pull_request(environ: Mapping[str, str]) -> str:
    """The description of the workflow's pull request, of any length.

    It comes from the event, which GitHub writes to a file: Linux starts no program with a variable of 128 KiB.

    Raises:
        GitHubError: the workflow does not run for a pull request.
    """
    path = environ.get("GITHUB_EVENT_PATH", "")
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))["pull_request"]["body"] or ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GitHubError(
            f"GITHUB_EVENT_PATH ({path or 'not set'}) holds no event of a pull request. Run this in a GitHub workflow "
            "with `on: pull_request`."
        ) from error


@dataclass(frozen=True, slots=True)
class Identity:
    """A repository's name as GitHub's tokens spell it, and the ids that no rename changes."""

    name: str
    owner_id: int
    repository_id: int


@dataclass(frozen=True, slots=True)
class Repository:
    """One repository and a token for it."""

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
                f"{' and '.join(missing)} not set. Run this in a GitHub workflow, which passes its token with "
                "`env: GITHUB_TOKEN: ${{ github.token }}`."
            )
        return cls(
            environ.get("GITHUB_API_URL") or PUBLIC_API,
            environ["GITHUB_REPOSITORY"],
            environ["GITHUB_TOKEN"],
        )

    @classmethod
    def named(cls, name: str, environ: Mapping[str, str]) -> "Repository":
        """A repository to read from, also outside a workflow; a public one needs no token."""
        return cls(environ.get("GITHUB_API_URL") or PUBLIC_API, name, environ.get("GITHUB_TOKEN") or "")

    def identity(self) -> Identity:
        """The identity of this repository. GitHub redirects from a former name to the current one.

        Raises:
            GitHubError: there is no such repository, or the token may not read it.
        """
        found = self._request("GET", "")
        return Identity(found["full_name"], int(found["owner"]["id"]), int(found["id"]))

    def comment_once(self, number: int, text: str) -> None:
        """Write a comment, or replace the one that begins with the same line."""
        marker = text.partition("\n")[0]
        for comment in self._all(f"issues/{number}/comments"):
            if comment["body"].partition("\n")[0].strip() == marker:
                self._request("PATCH", f"issues/comments/{comment['id']}", {"body": text})
                return
        self._request("POST", f"issues/{number}/comments", {"body": text})

    def report_drift(self, environment: str, text: str | None) -> None:
        """Open or update the issue of an environment's drift; with None, close it if it is open."""
        title = DRIFT_TITLE.format(environment=environment)
        known = [
            issue for issue in self._all("issues?state=open") if issue["title"] == title and "pull_request" not in issue
        ]
        if text is None:
            for issue in known:
                self._request("PATCH", f"issues/{issue['number']}", {"state": "closed", "state_reason": "completed"})
        elif known:
            self._request("PATCH", f"issues/{known[0]['number']}", {"body": text})
        else:
            self._request("POST", "issues", {"title": title, "body": text})

    def run_of_plan(self, commit: str) -> int:
        """The latest workflow run that planned the pull request of a commit.

        Raises:
            GitHubError: the commit came from no pull request, or nothing was planned for it.
        """
        pulls = self._request("GET", f"commits/{commit}/pulls")
        merged = [pull for pull in pulls if pull.get("merged_at")]
        if not merged:
            raise GitHubError(f"{commit} came from no merged pull request, so no plan was reviewed for it.")
        head = merged[-1]["head"]["sha"]
        runs = self._request("GET", f"actions/workflows/{PLAN_WORKFLOW}/runs?head_sha={head}&event=pull_request")
        ids = [int(run["id"]) for run in runs["workflow_runs"]]
        if not ids:
            raise GitHubError(
                f"Nothing was planned for {head}, the last commit of pull request {merged[-1]['number']}."
            )
        return max(ids)

    def _all(self, path: str) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._request("GET", f"{path}{'&' if '?' in path else '?'}per_page={PAGE}&page={page}")
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        url = f"{self.api}/repos/{self.name}/{path}".removesuffix("/")
        request = urllib.request.Request(  # noqa: S310  the address is from GitHub's own variable
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
            error.close()  # it is also the response, and holds its connection
            raise GitHubError(f"{method} {url}: {error}") from error
        except (URLError, TimeoutError, ValueError) as error:
            raise GitHubError(f"{method} {url}: {error}") from error
