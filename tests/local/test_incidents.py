"""Each issue of a stream, and of its monitoring, is notified exactly once."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto.logs.models import logs_backends
from moto.mediaconnect.models import mediaconnect_backends

from alert_handler.table import Table
from report import SCHEMA
from settings import load_environment
from tests.local.conftest import OnAir
from tests.local.live_flow import EIGHT, GOOD_RTP, PREFIX, LiveFlow
from tests.unit.test_schema import GOLDEN
from tools.local_aws import ACCOUNT_ID, LocalAws, faults
from tools.local_aws.executions import wait_for
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS
from tools.operations.flows import open_incidents

pytestmark = pytest.mark.xdist_group("venue")

OPENED, ESCALATED, RECOVERED = "opened", "escalated", "recovered"
SILENT: dict[str, float] = {}
ZERO = {"SourceBitRate": 0.0}
GOOD_MATCH = {"SourceConnected": 1.0, "SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0, "FailoverSwitches": 0.0}


@pytest.mark.parametrize("metrics", [ZERO, SILENT], ids=["zero", "silent"])
def test_lost_source_is_notified_once_and_resolved_once(on_air: OnAir, metrics: dict[str, float]) -> None:
    live = on_air("show")
    live.minutes(3, GOOD_RTP)
    live.minutes(4, metrics)
    live.minutes(3, GOOD_RTP)
    assert live.notified() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]
    assert [message.recipients for message in live.messages()] == [("email all@example.com", "sms +12025550123")] * 2
    (incident,) = live.history()
    assert [note["kind"] for note in incident["sent"]] == [OPENED, RECOVERED]
    assert incident["triggers"]
    assert incident["closed"] > incident["opened"]


def test_open_incidents_lists_the_open_incident(on_air: OnAir, aws: LocalAws, venue_settings: Path) -> None:
    environment = load_environment("venue", root=venue_settings, environ={}, context={})
    live = on_air("show")
    live.minutes(3, GOOD_RTP)
    assert open_incidents(aws.client, environment) == []
    live.minutes(4, ZERO)
    assert open_incidents(aws.client, environment) == ["show"]
    live.minutes(3, GOOD_RTP)
    assert open_incidents(aws.client, environment) == []


def test_event_opens_the_incident_before_metrics_follow(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(3, GOOD_RTP)
    live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [(OPENED, "CRITICAL")]
    assert "disagree" not in live.messages()[0].message, "what was measured before says nothing against it"
    live.minutes(2, GOOD_RTP)  # the metrics lag
    live.minutes(2, ZERO)
    assert live.notified() == [(OPENED, "CRITICAL")]


def test_sms_fits_one_part_with_many_issues(on_air: OnAir) -> None:
    live = on_air("match")
    live.minutes(2, GOOD_MATCH)
    bad = {"SourcePacketLossPercent": 9.0, "SourceJitter": 300.0, "SourceNotRecoveredPackets": 9000.0}
    live.minutes(6, GOOD_MATCH | bad | {"SourceBitRate": 1.0})
    live.minutes(3, bad | {"SourceConnected": 0.0, "SourceBitRate": 0.0})
    phone = "sms +12025550123"
    critical = [message for message in live.messages() if message.attributes["severity"] == "CRITICAL"]
    assert [message.recipients for message in critical] == [("email all@example.com", phone)]
    assert len(critical[0].message.encode()) > 1600, "as an e-mail, it would not reach a phone"
    assert len(critical[0].text_for(phone).encode()) <= 140


def test_deployment_during_an_open_incident_resolves_it_once(on_air: OnAir, aws: LocalAws) -> None:
    """The record is of an older release; the next checks are of this one."""
    golden = json.loads((GOLDEN / "v1_last.json").read_text(encoding="utf-8"))["open"]
    assert "schema" not in golden
    live = on_air("show")
    live.pass_seconds(60, checks=False)
    Table(aws.client("dynamodb"), f"{PREFIX}-incidents").save("show", golden, over=0)
    live.minutes(4, ZERO)
    assert live.notified() == [], "the incident goes on"
    live.minutes(4, GOOD_RTP)
    assert live.notified() == [(RECOVERED, "CRITICAL")]
    assert live.record()["schema"] == SCHEMA
    (incident,) = live.history()
    assert (incident["opened"], incident["number"]) == (golden["incident"]["opened"], 2)


def test_log_records_have_fields_to_query_by(on_air: OnAir, aws: LocalAws) -> None:
    """As Lambda's JSON log format writes them, in the log groups of both functions."""
    live = on_air("show")
    before = {part: len(records(aws, part)) for part in ("stream-monitor", "alert-handler")}
    live.minutes(1, GOOD_RTP)
    live.minutes(1, ZERO)
    live.source_is("DISCONNECTED", "encoder")
    found = [record for part, seen in before.items() for record in records(aws, part)[seen:]]
    (opened,) = [record for record in found if record.get("message") == "incident opened"]
    assert (opened["flow"], opened["severity"], opened["level"]) == ("show", "CRITICAL", "INFO")
    assert opened["execution"] in {execution.arn for execution in live.executions}
    assert {"check done", "issue found", "notification sent"} <= {record.get("message") for record in found}
    assert {"Checks", "IncidentsOpened", "NotificationsSent"} <= {key for record in found for key in record}


def records(aws: LocalAws, part: str) -> list[dict[str, Any]]:
    """What a function logged, in order."""
    streams = logs_backends[ACCOUNT_ID][aws.region].groups[f"/aws/lambda/{PREFIX}-{part}"].streams.values()
    lines = [line for stream in streams for event in stream.events for line in event.message.splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_packet_loss_then_lost_source_escalates_one_incident(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(2, GOOD_RTP)
    live.minutes(4, GOOD_RTP | {"SourcePacketLossPercent": 2.4})
    live.minutes(2, ZERO)
    live.minutes(8, GOOD_RTP)
    assert live.notified() == [
        (OPENED, "MEDIUM"),
        (ESCALATED, "HIGH"),
        (ESCALATED, "CRITICAL"),
        (RECOVERED, "CRITICAL"),
    ]


def test_flapping_source_is_one_incident(on_air: OnAir) -> None:
    live = on_air("show")
    for minute in range(20):  # a flapping source sends in part of each minute
        live.put(GOOD_RTP, at=EIGHT.replace(minute=minute))
    live.pass_seconds(60)
    for number in range(15):
        live.source_is("CONNECTED" if number % 2 else "DISCONNECTED", "encoder")
        live.pass_seconds(40)
    assert live.notified() == [(OPENED, "CRITICAL")]
    live.source_is("CONNECTED", "encoder")
    live.pass_seconds(240)
    assert live.notified() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]


def test_flow_stopped_on_purpose_opens_no_incident(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(2, GOOD_RTP)
    live.change_status("STANDBY", "STOPPING")
    live.minutes(5, SILENT)
    live.change_status("ACTIVE", "STARTING")
    live.minutes(2, SILENT)  # the encoder takes its time
    live.minutes(2, GOOD_RTP)
    assert live.notified() == [("flow-stopped", "INFO"), ("flow-started", "INFO")]
    assert {message.recipients for message in live.messages()} == {("email all@example.com",)}


def test_stopped_flow_that_is_always_on_air_is_critical(on_air: OnAir) -> None:
    live = on_air("channel")
    live.minutes(2, GOOD_RTP)
    live.change_status("STANDBY", "STOPPING")
    live.minutes(3, SILENT)
    assert live.notified() == [(OPENED, "CRITICAL")]
    live.change_status("ACTIVE", "STARTING")
    live.minutes(4, GOOD_RTP)
    assert live.notified() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]


def test_start_that_takes_too_long_opens_an_incident(on_air: OnAir) -> None:
    live = on_air("show")
    live.status("STARTING")
    live.minutes(3, SILENT)
    assert live.notified() == []
    live.minutes(1, SILENT)
    assert live.notified() == [(OPENED, "CRITICAL")]


def test_flow_in_error_is_critical_at_once(on_air: OnAir) -> None:
    live = on_air("show")
    live.change_status("ERROR", "ACTIVE")
    assert live.notified() == [(OPENED, "CRITICAL")]


@pytest.mark.parametrize(
    ("after", "notified"), [(GOOD_RTP, []), (ZERO, [(OPENED, "CRITICAL")])], ids=["over by then", "outlives it"]
)
def test_outage_in_maintenance_is_notified_only_if_it_lasts_longer(
    on_air: OnAir, after: dict[str, float], notified: list[tuple[str, str]]
) -> None:
    live = on_air("channel")
    live.minutes(2, GOOD_RTP)
    live.event("MediaConnect Flow Maintenance", {"currentStatus": "INPROGRESS"})
    live.change_status("STANDBY", "STOPPING")
    live.minutes(3, SILENT)
    live.change_status("ACTIVE", "STARTING")
    live.minutes(2, after)
    live.event("MediaConnect Flow Maintenance", {"currentStatus": "FINISHED"})
    live.minutes(2, after)
    assert live.notified() == [("maintenance", "INFO"), ("maintenance", "INFO"), *notified]


def test_stop_in_scheduled_window_is_maintenance_without_an_event(
    on_air: OnAir,
) -> None:
    live = on_air("channel")
    flow = mediaconnect_backends[ACCOUNT_ID][live.aws.region]._flows[live.arn]
    flow.maintenance = {"maintenanceScheduledDate": "2026-11-23", "maintenanceStartHour": "20:00"}
    try:
        live.minutes(3, GOOD_RTP)
        live.status("STANDBY")
        live.minutes(2, SILENT)
        live.status("ACTIVE")
        live.minutes(7, GOOD_RTP)
    finally:
        flow.maintenance = {}
    assert live.notified() == [("maintenance", "INFO"), ("maintenance", "INFO")], "somebody subscribes to INFO"
    assert "the flow has been healthy since 20:06 UTC" in live.messages()[-1].message


def test_late_event_is_notified_as_past(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(3, GOOD_RTP)
    happened = live.now
    for number in range(4):
        live.put(ZERO, at=happened.replace(minute=happened.minute + number))
    live.skip(4)  # nothing else is noticed meanwhile
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    live.deliver_late("MediaConnect Source Health", detail, "encoder", happened)
    (message,) = live.messages()
    assert message.message.startswith(
        "The source was gone: viewers saw nothing. At 20:03 UTC, received 4 min later.\nFirst: check whether this is still"
    )


def test_late_event_that_is_over_notifies_nobody(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(3, GOOD_RTP)
    happened = live.now
    live.minutes(5, GOOD_RTP)
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    live.deliver_late("MediaConnect Source Health", detail, "encoder", happened)
    live.minutes(3, GOOD_RTP)
    assert live.notified() == []


def selected(live: LiveFlow, name: str) -> None:
    for source in ("venue-a", "venue-b"):
        live.put({"SourceSelected": float(source == name)}, source=source)


def test_failover_and_return_names_the_source_in_use(on_air: OnAir) -> None:
    live = on_air("match")
    live.minutes(2, GOOD_MATCH)
    live.source_is("DISCONNECTED", "venue-a")
    selected(live, "venue-b")
    lost = {"SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0}
    for switches in (1.0, 0.0, 0.0):
        live.put({"SourceConnected": 0.0})  # one of the two
        live.minutes(1, lost | {"SourceConnected": 1.0, "FailoverSwitches": switches})
    live.source_is("CONNECTED", "venue-a")
    selected(live, "venue-a")
    live.minutes(1, GOOD_MATCH | {"FailoverSwitches": 1.0})
    live.minutes(9, GOOD_MATCH)
    assert live.notified() == [(OPENED, "HIGH"), (RECOVERED, "HIGH")]
    opened, recovered = live.messages()
    assert opened.message.startswith("The source venue-a is gone: there is no redundancy.\n")
    assert "First: call venue-a: " in opened.message
    assert "Source in use: venue-b or none\n" in opened.message, "the metric had not come yet"
    assert "Source in use: venue-a\n" in recovered.message


def test_switch_alone_is_notified_with_the_source_in_use(on_air: OnAir) -> None:
    live = on_air("match")
    live.minutes(2, GOOD_MATCH)
    selected(live, "venue-b")
    live.minutes(1, GOOD_MATCH | {"FailoverSwitches": 1.0})
    assert live.notified() == [(OPENED, "HIGH")]
    assert "Source in use: venue-b\n" in live.messages()[0].message


def test_two_events_of_lost_sources_are_critical(on_air: OnAir) -> None:
    live = on_air("match")
    live.minutes(2, GOOD_MATCH)
    live.source_is("DISCONNECTED", "venue-a")
    live.pass_seconds(20)
    live.source_is("DISCONNECTED", "venue-b")
    assert live.notified() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL")]
    live.put(GOOD_MATCH)
    live.pass_seconds(40)
    live.minutes(3, GOOD_MATCH | {"SourceConnected": 0.0, "SourceBitRate": 0.0})
    assert live.notified() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL")]
    for name in ("venue-a", "venue-b"):
        live.source_is("CONNECTED", name)
    live.minutes(6, GOOD_MATCH)
    assert live.notified() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL"), (RECOVERED, "CRITICAL")]


@pytest.mark.parametrize("error", ["crash", "throttled", "timeout", "access-denied"])
def test_failed_check_is_a_monitoring_failure_and_keeps_its_input(on_air: OnAir, error: faults.Error) -> None:
    live = on_air("show")
    with faults.failing("stream_monitor", error):
        live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [("blind", "CRITICAL")]
    assert [execution.status for execution in live.executions] == ["FAILED"]
    (kept,) = live.dead_letters()
    assert (kept["detail-type"], kept["resources"][0]) == ("MediaConnect Source Health", live.arn)


def test_input_that_cannot_be_kept_is_still_a_monitoring_failure(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("stream_monitor", "crash"), faults.failing("sqs", "access-denied"):
        live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [("blind", "CRITICAL")]
    assert "Runtime.ExitError" in live.messages()[0].message, "the first failure is named, not the second"
    assert live.dead_letters() == []


def test_monitor_that_fails_once_is_retried(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("stream_monitor", "crash", calls=1) as fault:
        live.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 1
    assert live.notified() == [(OPENED, "CRITICAL")]
    assert live.dead_letters() == []


def test_throttled_table_is_retried_and_notifies_once(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("dynamodb", "throttled", calls=4) as fault:
        live.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 4
    assert live.notified() == [(OPENED, "CRITICAL")]


def test_table_that_stays_throttled_is_a_monitoring_failure(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("dynamodb", "throttled"):
        live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [("blind", "CRITICAL")]
    assert len(live.dead_letters()) == 1


def test_message_that_the_topic_refuses_is_sent_by_the_next_check(
    on_air: OnAir,
) -> None:
    live = on_air("show")
    live.minutes(2, GOOD_RTP)
    with faults.failing("sns", "access-denied"):
        live.source_is("DISCONNECTED", "encoder")
    assert live.notified() == [], "not even the monitoring failure could be sent"
    assert len(live.dead_letters()) == 1, "though it was kept"
    assert [note["kind"] for note in live.record()["pending"]] == [OPENED]
    live.age_claim()
    live.minutes(1, ZERO)
    failures = [("chain-alarm", "")] * 2
    assert live.notified() == [(OPENED, "CRITICAL"), *failures], "and an execution and a check have failed"
    assert live.record()["pending"] == []


def test_topic_that_refuses_once_is_retried(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("sns", "access-denied", calls=1) as fault:
        live.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 1
    assert live.notified() == [(OPENED, "CRITICAL")]
    assert live.record()["pending"] == []


def test_event_delivered_five_times_notifies_once(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(2, GOOD_RTP)
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    started = [
        delivery
        for _ in range(5)
        for delivery in live.deliver("MediaConnect Source Health", detail, live.source_arn("encoder"))
    ]
    ended = [wait_for(str(delivery.execution_arn)) for delivery in started]
    assert [execution.status for execution in ended] == ["SUCCEEDED"] * 5
    assert live.notified() == [(OPENED, "CRITICAL")]


def test_quiet_check_makes_five_calls(on_air: OnAir) -> None:
    live = on_air("show")
    live.minutes(2, GOOD_RTP)
    live.put(GOOD_RTP)
    INVOCATIONS.clear()
    with faults.recorded_targets() as calls:
        live.pass_seconds(60)
    assert [call.failed for call in INVOCATIONS] == [False, False]
    functions = ("stream_monitor", "alert_handler")
    assert [call for call in calls if call not in functions] == [
        "ssm",
        "mediaconnect",
        "cloudwatch",
        "mediaconnect",
        "dynamodb",
    ]
    assert tuple(call for call in calls if call in functions) == functions
    assert live.notified() == []


def test_event_that_cannot_reach_the_workflow_is_kept(on_air: OnAir) -> None:
    live = on_air("show")
    with faults.failing("eventbridge", "crash"):
        live.source_is("DISCONNECTED", "encoder")
    assert [kept["detail-type"] for kept in live.dead_letters()] == ["MediaConnect Source Health"]


def test_schedules_that_stop_raise_a_self_monitoring_alarm(on_air: OnAir) -> None:
    live = on_air("show")
    live.pass_seconds(180, checks=False)
    assert live.notified() == [], "a new environment has not missed anything"
    live.minutes(3, GOOD_RTP)
    for _ in range(7):
        live.put(GOOD_RTP)
        live.pass_seconds(60, checks=False)
    assert live.notified() == [], "datapoints of the last checks may still be on their way"
    for _ in range(3):
        live.put(GOOD_RTP)
        live.pass_seconds(60, checks=False)
    (message,) = live.messages()
    assert message.topic_arn.endswith("media-workflow-venue-chain")
    assert "no-scheduled-checks" in message.subject
    assert message.recipients == ("email all@example.com", "sms +12025550123")
