"""Measures one function as Lambda runs it: imported from the zip, then called repeatedly.

`python -m tools.bench.functions <function> <zip> <policy.json> <rules>` prints one JSON object. Calls to AWS are
answered in boto, so that everything but the network is measured.
"""

import importlib
import io
import json
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from tools.bench.synthesis import name_and_peak

FLOW: Final = "arn:aws:mediaconnect:us-east-1:123456789012:flow:1-AbC:{name}"
STARTED: Final = datetime(2026, 11, 23, 20, 5, 30, tzinfo=UTC)
TIMES: Final = 100
ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "ENVIRONMENT": "dev",
    "POLICY_PREFIX": "/media-workflow/dev/flows/",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:media-workflow-dev-alerts",
    "TABLE_NAME": "media-workflow-dev-incidents",
}


def main(function: str, archive: str, policy_file: str, rules: str) -> None:
    """Measure one function in this process; the alert handler gets the monitor's report."""
    os.environ |= ENVIRONMENT
    sys.path.insert(0, archive)
    sys.dont_write_bytecode = True
    policy = with_rules(json.loads(Path(policy_file).read_text(encoding="utf-8")), int(rules))
    printed = sys.stdout
    sys.stdout = io.StringIO()  # what the functions count
    handler, cold_import = imported(f"{function.replace('-', '_')}.handler")
    monitor, _ = imported("stream_monitor.handler")
    clients = answer_locally(policy)
    flow_arn = FLOW.format(name=policy["flow_name"])
    event = {
        "input": {"kind": "schedule", "flow_arn": flow_arn, "time": STARTED.isoformat()},
        "started": STARTED.isoformat(),
        "execution": "arn:aws:states:us-east-1:123456789012:execution:media-workflow-dev-workflow:abc",
    }
    report = monitor(event, None)
    if len(report["issues"]) != int(rules):
        raise RuntimeError(f"the monitor found {len(report['issues'])} issues for {rules} broken rules")
    given = event if handler is monitor else {"report": report, "execution": event["execution"]}
    figures = {"cold_import_ms": cold_import, **handled(lambda: handler(given, None), clients)}
    _, figures["process_mb"] = name_and_peak(os.getpid()) or ("", 0.0)
    printed.write(json.dumps(figures))


def with_rules(policy: dict[str, Any], number: int) -> dict[str, Any]:
    """The policy with `number` rules, each on a metric of its own and each broken."""
    row = policy["rules"][0] | {"comparison": "GreaterThanThreshold", "threshold": 0, "missing": "notBreaching"}
    rows = [
        row | {"key": f"rule-{index}", "metric": f"Metric{index}", "about": f"Metric{index}"} for index in range(number)
    ]
    return policy | {"flow_arn": FLOW.format(name=policy["flow_name"]), "rules": rows}


def imported(module: str) -> tuple[Callable[[Any, Any], Any], float]:
    """The handler of a module, and how many milliseconds its first import took."""
    begun = time.perf_counter()
    handler: Callable[[Any, Any], Any] = importlib.import_module(module).lambda_handler
    return handler, (time.perf_counter() - begun) * 1000


def handled(call: Callable[[], Any], clients: list[str]) -> dict[str, float]:
    """Milliseconds of a warm call, peak megabytes of a call, and the number of clients created by warm calls."""
    call()
    before = len(clients)
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        call()
        taken.append((time.perf_counter() - begun) * 1000)
    tracemalloc.start()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return {
        "warm_ms": statistics.median(taken),
        "peak_mb": peak / 1024 / 1024,
        "clients_made_when_warm": len(clients) - before,
    }


def answer_locally(policy: Mapping[str, Any]) -> list[str]:
    """Answer every call to AWS in this process; returns a list that grows with each client that is created."""
    import boto3  # noqa: PLC0415  its import is part of what is measured
    from botocore.client import BaseClient  # noqa: PLC0415

    minutes = [STARTED.replace(second=0) - timedelta(minutes=minute) for minute in range(15, 0, -1)]

    def series(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"Id": query["Id"], "Timestamps": minutes, "Values": [1.0] * len(minutes), "StatusCode": "Complete"}
            for query in asked["MetricDataQueries"]
        ]

    answers: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "GetParameter": lambda _: {"Parameter": {"Value": json.dumps(policy)}},
        "DescribeFlow": lambda asked: {"Flow": {"FlowArn": asked["FlowArn"], "Status": "ACTIVE"}},
        "GetMetricData": lambda asked: {"MetricDataResults": series(asked)},
        "Publish": lambda _: {"MessageId": "1"},
    }

    def answer(_client: object, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        return answers[operation](asked) if operation in answers else {}

    below: Any = BaseClient  # its method sends requests
    below._make_api_call = answer  # noqa: SLF001
    made: list[str] = []
    sessions: Any = boto3.session.Session
    client = sessions.client

    def counted(session: Any, service: str, *arguments: Any, **options: Any) -> Any:
        made.append(service)
        return client(session, service, *arguments, **options)

    sessions.client = counted
    return made


if __name__ == "__main__":
    main(*sys.argv[1:])
