"""`preflight` compares the account's quotas with the settings, and reports what it may not read."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final

import pytest
from botocore.exceptions import ClientError

from tests.local.empty_region import EmptyRegion
from tests.unit.environments import GOOD, load
from tools.local_aws import LocalAws, faults
from tools.local_aws.gaps.account_quotas import ACCOUNT, CONCURRENCY, Account
from tools.operations.preflight import Check, checks

SMS: Final = '[[notifications]]\nprotocol = "sms"\nendpoint = "+12025550123"\n'


@pytest.fixture
def region(aws: LocalAws) -> Iterator[EmptyRegion]:
    fresh = Account()
    for name in ("in_sandbox", "verified", "origination", "quotas"):
        setattr(ACCOUNT, name, deepcopy(getattr(fresh, name)))
    yield EmptyRegion(aws)
    for name in ("in_sandbox", "verified", "origination", "quotas"):
        setattr(ACCOUNT, name, getattr(fresh, name))


def run(region: EmptyRegion, folder: Path, text: str = GOOD) -> dict[str, Check]:
    return {check.name: check for check in checks(region.client, load(folder, text))}


def test_account_with_room_passes(region: EmptyRegion, tmp_path: Path) -> None:
    found = run(region, tmp_path)
    assert [(name, check.fine) for name, check in found.items()] == [
        ("MediaConnect flows", True),
        ("Lambda concurrency", True),
        ("EventBridge rules", True),
    ]
    assert str(found["MediaConnect flows"]) == (
        "ok: MediaConnect flows: 0 of 20 flows in us-east-1 (Service Quotas); needed: 1 more."
    )


def test_flow_check_counts_other_flows_and_raised_quota(region: EmptyRegion, tmp_path: Path) -> None:
    source = {"Name": "encoder", "Protocol": "rtp", "WhitelistCidr": "203.0.113.10/32", "IngestPort": 5000}
    for _ in range(2):  # two flows of one Region may share a name
        region.client("mediaconnect").create_flow(Name="live", Source=source)
    ACCOUNT.quotas["mediaconnect"]["Flows"] = 2.0
    check = run(region, tmp_path)["MediaConnect flows"]
    assert (check.fine, check.found) == (False, "2 of 2 flows in us-east-1 (Service Quotas)")
    assert "Ask for at least 3 with Service Quotas" in str(check)
    ACCOUNT.quotas["mediaconnect"]["Flows"] = 3.0
    assert run(region, tmp_path)["MediaConnect flows"].fine


def test_new_account_has_no_concurrency_to_reserve(
    region: EmptyRegion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONCURRENCY, "10")
    check = run(region, tmp_path, f"reserved_concurrency = 2\n{GOOD}")["Lambda concurrency"]
    assert check.fine is False
    assert str(check).startswith("NOT OK: Lambda concurrency: 10 concurrent executions in all, 10 of them unreserved;")
    assert "4 more reserved for two functions, with 100 left unreserved" in str(check)
    assert "leave reserved_concurrency = 2 out" in str(check)
    arn = region.function("media-workflow-dev-stream-monitor", "a.py", "def handler(e, c): return e")
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):  # what Terraform would meet
        region.client("lambda").put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=2)
    assert run(region, tmp_path)["Lambda concurrency"].fine


def test_reserved_concurrency_is_not_counted_again(
    region: EmptyRegion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CONCURRENCY, "104")
    for part in ("stream-monitor", "alert-handler"):
        arn = region.function(f"media-workflow-dev-{part}", "a.py", "def handler(e, c): return e")
        region.client("lambda").put_function_concurrency(FunctionName=arn, ReservedConcurrentExecutions=2)
    assert run(region, tmp_path, f"reserved_concurrency = 2\n{GOOD}")["Lambda concurrency"].fine
    assert run(region, tmp_path, f"reserved_concurrency = 3\n{GOOD}")["Lambda concurrency"].fine is False


def test_rule_check_counts_other_rules(region: EmptyRegion, tmp_path: Path) -> None:
    ACCOUNT.quotas["events"]["Number of rules"] = 5.0
    queue = {"Id": "queue", "Arn": region.queue("queue")}
    region.rule("media-workflow-dev-events-1", {"source": ["a"]}, queue)
    region.rule("other", {"source": ["a"]}, queue)
    check = run(region, tmp_path)["EventBridge rules"]
    assert (check.fine, check.needed) == (True, "3 more")
    region.rule("another", {"source": ["a"]}, queue)
    assert run(region, tmp_path)["EventBridge rules"].fine is False


def test_outputs_above_flow_throughput_are_reported(region: EmptyRegion, tmp_path: Path) -> None:
    text = GOOD.replace('protocol = "rtp"\nport = 5000', 'protocol = "rtp"\nmax_bitrate_bps = 100_000_000\nport = 5000')
    output = '[flows.outputs.o{0}]\nprotocol = "rtp"\ndestination = "198.51.100.10"\nport = 60{0}0\n'
    assert run(region, tmp_path, text)["Throughput of live"].fine
    more = text + "".join(output.format(number) for number in range(10, 14))
    check = run(region, tmp_path, more)["Throughput of live"]
    assert check.fine is False
    assert "500 Mb/s, its max_bitrate_bps to each enabled output" in str(check)


def test_sms_numbers_in_the_sandbox_must_be_verified(region: EmptyRegion, tmp_path: Path) -> None:
    ACCOUNT.in_sandbox, ACCOUNT.origination = True, []
    text = GOOD.replace("[thresholds]", f"{SMS}\n[thresholds]")
    found = run(region, tmp_path, text)
    assert "NOT OK: SMS sandbox" in str(found["SMS sandbox"])
    assert "+12025550123 verified" in str(found["SMS sandbox"])
    assert "NOT OK: SMS origination identity: 0 origination numbers" in str(found["SMS origination identity"])
    ACCOUNT.verified = ["+12025550123"]
    assert run(region, tmp_path, text)["SMS sandbox"].fine
    ACCOUNT.in_sandbox, ACCOUNT.origination = False, ["+12025550199"]
    assert all(check.fine for check in run(region, tmp_path, text).values())


@pytest.mark.parametrize(
    ("target", "name"),
    [("mediaconnect", "MediaConnect flows"), ("eventbridge", "EventBridge rules"), ("sns", "SMS")],
)
def test_missing_permission_skips_only_its_check(
    region: EmptyRegion, tmp_path: Path, target: faults.Target, name: str
) -> None:
    text = GOOD.replace("[thresholds]", f"{SMS}\n[thresholds]")
    with faults.failing(target, "access-denied"):
        found = run(region, tmp_path, text)
    assert [check.name for check in found.values() if check.fine is None] == [name]
    assert not any(check.fine is False for check in found.values())
    assert str(found[name]).startswith(f"not checked: {name}: ")
    assert "is made to answer access-denied; needed: " in str(found[name])
    assert {"Lambda concurrency", "MediaConnect flows", "EventBridge rules"} <= set(found)


def test_other_service_errors_are_raised(region: EmptyRegion, tmp_path: Path) -> None:
    with faults.failing("eventbridge", "crash"), pytest.raises(ClientError, match="InternalFailure"):
        run(region, tmp_path)


def test_unknown_quota_is_the_aws_default(region: EmptyRegion, tmp_path: Path) -> None:
    ACCOUNT.quotas = {}
    assert run(region, tmp_path)["MediaConnect flows"].found == "0 of 20 flows in us-east-1 (AWS's default)"
