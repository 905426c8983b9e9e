"""A fake GitHub with one repository on loopback: ids, comments, issues and runs that the workflows use."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class GitHub:
    """The content of the fake, and its address."""

    def __init__(self) -> None:
        self.url = ""
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.runs: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.identity = {"id": 456789, "full_name": "example/live", "owner": {"id": 123456, "login": "example"}}
        self.former_name = "example/before"

    def environment(self) -> dict[str, str]:
        """The variables that GitHub sets in a workflow."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "example/live", "GITHUB_TOKEN": "token"}

    def respond(self, method: str, path: str, body: Any) -> tuple[int, Any]:  # noqa: PLR0911
        """Status and body of a response."""
        self.requests.append(f"{method} {path}")
        if path in {"/repos/example/live", f"/repos/{self.former_name}"}:  # GitHub redirects from a former name
            return 200, self.identity
        parts = urlsplit(path.removeprefix("/repos/example/live/"))
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        if found := re.fullmatch(r"commits/(\w+)/pulls", parts.path):
            return 200, self.pulls.get(found[1], [])
        if parts.path == "actions/workflows/plan.yml/runs":
            runs = [run for run in self.runs if run["head_sha"] == query["head_sha"]]
            return 200, {"workflow_runs": runs}
        if found := re.fullmatch(r"issues/(\d+)/comments", parts.path):
            if method == "POST":
                self.comments.append({"id": len(self.comments) + 1, "issue": int(found[1]), **body})
                return 201, self.comments[-1]
            page, size = int(query["page"]), int(query["per_page"])
            of_issue = [comment for comment in self.comments if comment["issue"] == int(found[1])]
            return 200, of_issue[(page - 1) * size : page * size]
        if found := re.fullmatch(r"issues/comments/(\d+)", parts.path):
            self.comments[int(found[1]) - 1].update(body)
            return 200, {}
        if parts.path == "issues" and method == "POST":
            self.issues.append({"number": len(self.issues) + 1, "state": "open", **body})
            return 201, self.issues[-1]
        if parts.path == "issues":
            return 200, [issue for issue in self.issues if issue["state"] == query["state"]]
        if found := re.fullmatch(r"issues/(\d+)", parts.path):
            self.issues[int(found[1]) - 1].update(body)
            return 200, {}
        return 404, {"message": "Not Found"}


@contextmanager
def running() -> Iterator[GitHub]:
    """Run the fake until the block ends."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = github.respond(self.command, self.path, json.loads(body) if body else None)
            if self.headers.get("Authorization") != "Bearer token":
                status, content = 401, {"message": "Bad credentials"}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        do_GET = do_POST = do_PATCH = _any  # noqa: N815  the base class names them

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
