"""What a function logs, as whoever invokes it sees it."""

import base64
import json

from tools.local_aws import LocalAws
from tools.rehearsal.deployment import Deployment


def test_log_of_a_warm_function_is_that_of_its_run_alone(deployment: Deployment, aws: LocalAws) -> None:
    arn = deployment.outputs()["stream_monitor_arn"]
    given = {"input": {"flow_name": "typo"}, "started": "2026-11-23T20:00:00Z"}
    logs = [
        base64.b64decode(
            aws.client("lambda").invoke(FunctionName=arn, LogType="Tail", Payload=json.dumps(given).encode())[
                "LogResult"
            ]
        ).decode()
        for _ in range(3)
    ]
    assert "\0" not in "".join(logs)
    assert [log.count("Nothing was checked") for log in logs] == [1, 1, 1]
