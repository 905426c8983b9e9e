"""Through the real state machine: each trouble of a stream, and of the watching, is told exactly once."""

import json
from pathlib import Path
from typing import Any

import pytest
from moto.logs.models import logs_backends
from moto.mediaconnect.models import mediaconnect_backends

from alert_handler.table import Table
from report import SCHEMA
from settings import load_environment
from tests.local.conftest import Begin
from tests.local.evening import EIGHT, GOOD_RTP, PREFIX, Evening
from tests.unit.test_schema import GOLDEN
from tools.local_aws import ACCOUNT_ID, LocalAws, faults
from tools.local_aws.executions import wait_for
from tools.local_aws.gaps.lambda_invocation import INVOCATIONS
from tools.operations.flows import open_incidents

OPENED, ESCALATED, RECOVERED = "opened", "escalated", "recovered"
SILENT: dict[str, float] = {}
ZERO = {"SourceBitRate": 0.0}
GOOD_MATCH = {"SourceConnected": 1.0, "SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0, "FailoverSwitches": 0.0}


@pytest.mark.parametrize("metrics", [ZERO, SILENT], ids=["zero", "silent"])
def test_a_source_lost_is_told_once_and_its_end_once_whether_metrics_read_zero_or_vanish(
    begin: Begin, metrics: dict[str, float]
) -> None:
    evening = begin("show")
    evening.minutes(3, GOOD_RTP)
    evening.minutes(4, metrics)
    evening.minutes(3, GOOD_RTP)
    assert evening.told() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]
    assert [message.recipients for message in evening.messages()] == [("email all@example.com", "sms +12025550123")] * 2
    (incident,) = evening.history()
    assert [note["kind"] for note in incident["sent"]] == [OPENED, RECOVERED]
    assert incident["triggers"]
    assert incident["closed"] > incident["opened"]


def test_an_open_incident_is_seen_by_whoever_would_destroy_the_environment(
    begin: Begin, aws: LocalAws, venue_settings: Path
) -> None:
    environment = load_environment("venue", root=venue_settings, environ={}, context={})
    evening = begin("show")
    evening.minutes(3, GOOD_RTP)
    assert open_incidents(aws.client, environment) == []
    evening.minutes(4, ZERO)
    assert open_incidents(aws.client, environment) == ["show"]
    evening.minutes(3, GOOD_RTP)
    assert open_incidents(aws.client, environment) == []


def test_an_event_is_believed_before_the_metrics_follow(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(3, GOOD_RTP)
    evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [(OPENED, "CRITICAL")]
    assert "disagree" not in evening.messages()[0].message, "what was measured before says nothing against it"
    evening.minutes(2, GOOD_RTP)  # the metrics lag
    evening.minutes(2, ZERO)
    assert evening.told() == [(OPENED, "CRITICAL")]


def test_a_phone_gets_one_part_of_text_however_much_is_wrong(begin: Begin) -> None:
    evening = begin("match")
    evening.minutes(2, GOOD_MATCH)
    bad = {"SourcePacketLossPercent": 9.0, "SourceJitter": 300.0, "SourceNotRecoveredPackets": 9000.0}
    evening.minutes(6, GOOD_MATCH | bad | {"SourceBitRate": 1.0})
    evening.minutes(3, bad | {"SourceConnected": 0.0, "SourceBitRate": 0.0})
    phone = "sms +12025550123"
    critical = [message for message in evening.messages() if message.attributes["severity"] == "CRITICAL"]
    assert [message.recipients for message in critical] == [("email all@example.com", phone)]
    assert len(critical[0].message.encode()) > 1600, "as an e-mail, it would not reach a phone"
    assert len(critical[0].text_for(phone).encode()) <= 140


def test_deployment_during_an_open_incident_resolves_it_once(begin: Begin, aws: LocalAws) -> None:
    """The record is of an older release; the next checks are of this one."""
    golden = json.loads((GOLDEN / "v1_last.json").read_text(encoding="utf-8"))["open"]
    assert "schema" not in golden
    evening = begin("show")
    evening.pass_seconds(60, looks=False)
    Table(aws.client("dynamodb"), f"{PREFIX}-incidents").save("show", golden, over=0)
    evening.minutes(4, ZERO)
    assert evening.told() == [], "the incident goes on"
    evening.minutes(4, GOOD_RTP)
    assert evening.told() == [(RECOVERED, "CRITICAL")]
    assert evening.record()["schema"] == SCHEMA
    (incident,) = evening.history()
    assert (incident["opened"], incident["number"]) == (golden["incident"]["opened"], 2)


def test_log_records_have_fields_to_query_by(begin: Begin, aws: LocalAws) -> None:
    """As Lambda's JSON log format writes them, in the log groups of both functions."""
    evening = begin("show")
    before = {part: len(records(aws, part)) for part in ("stream-monitor", "alert-handler")}
    evening.minutes(1, GOOD_RTP)
    evening.minutes(1, ZERO)
    evening.source_is("DISCONNECTED", "encoder")
    found = [record for part, seen in before.items() for record in records(aws, part)[seen:]]
    (opened,) = [record for record in found if record.get("message") == "incident opened"]
    assert (opened["flow"], opened["severity"], opened["level"]) == ("show", "CRITICAL", "INFO")
    assert opened["execution"] in {execution.arn for execution in evening.executions}
    assert {"check done", "issue found", "notification sent"} <= {record.get("message") for record in found}
    assert {"Checks", "IncidentsOpened", "NotificationsSent"} <= {key for record in found for key in record}


def records(aws: LocalAws, part: str) -> list[dict[str, Any]]:
    """What a function logged, in order."""
    streams = logs_backends[ACCOUNT_ID][aws.region].groups[f"/aws/lambda/{PREFIX}-{part}"].streams.values()
    lines = [line for stream in streams for event in stream.events for line in event.message.splitlines()]
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_packet_loss_and_then_a_source_lost_is_one_incident_that_gets_worse(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(2, GOOD_RTP)
    evening.minutes(4, GOOD_RTP | {"SourcePacketLossPercent": 2.4})
    evening.minutes(2, ZERO)
    evening.minutes(8, GOOD_RTP)
    assert evening.told() == [(OPENED, "MEDIUM"), (ESCALATED, "HIGH"), (ESCALATED, "CRITICAL"), (RECOVERED, "CRITICAL")]


def test_a_source_that_flaps_for_ten_minutes_is_one_incident(begin: Begin) -> None:
    evening = begin("show")
    for minute in range(20):  # a flapping source sends in part of each minute
        evening.put(GOOD_RTP, at=EIGHT.replace(minute=minute))
    evening.pass_seconds(60)
    for number in range(15):
        evening.source_is("CONNECTED" if number % 2 else "DISCONNECTED", "encoder")
        evening.pass_seconds(40)
    assert evening.told() == [(OPENED, "CRITICAL")]
    evening.source_is("CONNECTED", "encoder")
    evening.pass_seconds(240)
    assert evening.told() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]


def test_a_flow_stopped_on_purpose_is_no_page(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(2, GOOD_RTP)
    evening.told_status("STANDBY", "STOPPING")
    evening.minutes(5, SILENT)
    evening.told_status("ACTIVE", "STARTING")
    evening.minutes(2, SILENT)  # the encoder takes its time
    evening.minutes(2, GOOD_RTP)
    assert evening.told() == [("flow-stopped", "INFO"), ("flow-started", "INFO")]
    assert {message.recipients for message in evening.messages()} == {("email all@example.com",)}


def test_a_flow_that_is_always_on_air_and_stops_is_critical(begin: Begin) -> None:
    evening = begin("channel")
    evening.minutes(2, GOOD_RTP)
    evening.told_status("STANDBY", "STOPPING")
    evening.minutes(3, SILENT)
    assert evening.told() == [(OPENED, "CRITICAL")]
    evening.told_status("ACTIVE", "STARTING")
    evening.minutes(4, GOOD_RTP)
    assert evening.told() == [(OPENED, "CRITICAL"), (RECOVERED, "CRITICAL")]


def test_a_start_that_does_not_come_to_an_end_is_told_after_a_while(begin: Begin) -> None:
    evening = begin("show")
    evening.status("STARTING")
    evening.minutes(3, SILENT)
    assert evening.told() == []
    evening.minutes(1, SILENT)
    assert evening.told() == [(OPENED, "CRITICAL")]


def test_a_flow_in_error_is_critical_at_once(begin: Begin) -> None:
    evening = begin("show")
    evening.told_status("ERROR", "ACTIVE")
    assert evening.told() == [(OPENED, "CRITICAL")]


@pytest.mark.parametrize(
    ("after", "told"), [(GOOD_RTP, []), (ZERO, [(OPENED, "CRITICAL")])], ids=["over by then", "outlives it"]
)
def test_what_happens_in_a_maintenance_window_is_told_only_if_it_outlives_it(
    begin: Begin, after: dict[str, float], told: list[tuple[str, str]]
) -> None:
    evening = begin("channel")
    evening.minutes(2, GOOD_RTP)
    evening.event("MediaConnect Flow Maintenance", {"currentStatus": "INPROGRESS"})
    evening.told_status("STANDBY", "STOPPING")
    evening.minutes(3, SILENT)
    evening.told_status("ACTIVE", "STARTING")
    evening.minutes(2, after)
    evening.event("MediaConnect Flow Maintenance", {"currentStatus": "FINISHED"})
    evening.minutes(2, after)
    assert evening.told() == [("maintenance", "INFO"), ("maintenance", "INFO"), *told]


def test_a_flow_that_stops_inside_its_scheduled_window_is_under_maintenance_though_no_event_says_so(
    begin: Begin,
) -> None:
    evening = begin("channel")
    flow = mediaconnect_backends[ACCOUNT_ID][evening.aws.region]._flows[evening.arn]
    flow.maintenance = {"maintenanceScheduledDate": "2026-11-23", "maintenanceStartHour": "20:00"}
    try:
        evening.minutes(3, GOOD_RTP)
        evening.status("STANDBY")
        evening.minutes(2, SILENT)
        evening.status("ACTIVE")
        evening.minutes(7, GOOD_RTP)
    finally:
        flow.maintenance = {}
    assert evening.told() == [("maintenance", "INFO"), ("maintenance", "INFO")], "somebody subscribes to INFO"
    assert "the flow has been healthy since 20:06 UTC" in evening.messages()[-1].message


def test_an_event_that_is_delivered_late_is_told_as_past_unless_metrics_answer_it(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(3, GOOD_RTP)
    happened = evening.now
    for number in range(4):
        evening.put(ZERO, at=happened.replace(minute=happened.minute + number))
    evening.now = happened.replace(minute=happened.minute + 4)  # nothing else is noticed meanwhile
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    evening.deliver_late("MediaConnect Source Health", detail, "encoder", happened)
    (message,) = evening.messages()
    assert message.message.startswith(
        "The source was gone: viewers saw nothing. At 20:03 UTC, received 4 min later.\nFirst: check whether this is still"
    )


def test_an_event_that_is_delivered_late_and_over_by_then_is_not_told(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(3, GOOD_RTP)
    happened = evening.now
    evening.minutes(5, GOOD_RTP)
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    evening.deliver_late("MediaConnect Source Health", detail, "encoder", happened)
    evening.minutes(3, GOOD_RTP)
    assert evening.told() == []


def selected(evening: Evening, name: str) -> None:
    for source in ("venue-a", "venue-b"):
        evening.put({"SourceSelected": float(source == name)}, SourceARN=evening.source_arn(source))


def test_a_failover_to_the_backup_and_back_is_a_loss_of_redundancy_that_names_the_source_in_use(begin: Begin) -> None:
    evening = begin("match")
    evening.minutes(2, GOOD_MATCH)
    evening.source_is("DISCONNECTED", "venue-a")
    selected(evening, "venue-b")
    lost = {"SourceBitRate": 8e6, "SourcePacketLossPercent": 0.0}
    for switches in (1.0, 0.0, 0.0):
        evening.put({"SourceConnected": 0.0})  # one of the two
        evening.minutes(1, lost | {"SourceConnected": 1.0, "FailoverSwitches": switches})
    evening.source_is("CONNECTED", "venue-a")
    selected(evening, "venue-a")
    evening.minutes(1, GOOD_MATCH | {"FailoverSwitches": 1.0})
    evening.minutes(9, GOOD_MATCH)
    assert evening.told() == [(OPENED, "HIGH"), (RECOVERED, "HIGH")]
    opened, recovered = evening.messages()
    assert opened.message.startswith("The source venue-a is gone: there is no redundancy.\n")
    assert "First: call venue-a: " in opened.message
    assert "Source in use: venue-b or none\n" in opened.message, "the metric had not come yet"
    assert "Source in use: venue-a\n" in recovered.message


def test_a_switch_alone_is_told_with_the_source_that_is_in_use_now(begin: Begin) -> None:
    evening = begin("match")
    evening.minutes(2, GOOD_MATCH)
    selected(evening, "venue-b")
    evening.minutes(1, GOOD_MATCH | {"FailoverSwitches": 1.0})
    assert evening.told() == [(OPENED, "HIGH")]
    assert "Source in use: venue-b\n" in evening.messages()[0].message


def test_both_sources_lost_is_critical_though_only_two_events_say_so(begin: Begin) -> None:
    evening = begin("match")
    evening.minutes(2, GOOD_MATCH)
    evening.source_is("DISCONNECTED", "venue-a")
    evening.pass_seconds(20)
    evening.source_is("DISCONNECTED", "venue-b")
    assert evening.told() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL")]
    evening.put(GOOD_MATCH)
    evening.pass_seconds(40)
    evening.minutes(3, GOOD_MATCH | {"SourceConnected": 0.0, "SourceBitRate": 0.0})
    assert evening.told() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL")]
    for name in ("venue-a", "venue-b"):
        evening.source_is("CONNECTED", name)
    evening.minutes(6, GOOD_MATCH)
    assert evening.told() == [(OPENED, "HIGH"), (ESCALATED, "CRITICAL"), (RECOVERED, "CRITICAL")]


@pytest.mark.parametrize("error", ["crash", "throttled", "timeout", "access-denied"])
def test_a_monitor_that_fails_for_good_is_told_and_its_input_is_kept(begin: Begin, error: faults.Error) -> None:
    evening = begin("show")
    with faults.failing("stream_monitor", error):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("blind", "CRITICAL")]
    assert [execution.status for execution in evening.executions] == ["FAILED"]
    (kept,) = evening.dead_letters()
    assert (kept["detail-type"], kept["resources"][0]) == ("MediaConnect Source Health", evening.arn)


def test_an_input_that_cannot_be_kept_does_not_keep_people_from_being_told(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("stream_monitor", "crash"), faults.failing("sqs", "access-denied"):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("blind", "CRITICAL")]
    assert "Runtime.ExitError" in evening.messages()[0].message, "the first failure is told, not the second"
    assert evening.dead_letters() == []


def test_a_monitor_that_fails_once_is_nobodys_business(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("stream_monitor", "crash", calls=1) as fault:
        evening.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 1
    assert evening.told() == [(OPENED, "CRITICAL")]
    assert evening.dead_letters() == []


def test_a_table_that_is_throttled_is_tried_again_and_nothing_is_told_twice(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("dynamodb", "throttled", calls=4) as fault:
        evening.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 4
    assert evening.told() == [(OPENED, "CRITICAL")]


def test_a_table_that_stays_throttled_is_told_and_the_event_is_kept(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("dynamodb", "throttled"):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [("blind", "CRITICAL")]
    assert len(evening.dead_letters()) == 1


def test_a_topic_that_refuses_costs_no_message_and_the_next_look_sends_it(
    begin: Begin,
) -> None:
    evening = begin("show")
    evening.minutes(2, GOOD_RTP)
    with faults.failing("sns", "access-denied"):
        evening.source_is("DISCONNECTED", "encoder")
    assert evening.told() == [], "not even that monitoring is blind could be told"
    assert len(evening.dead_letters()) == 1, "though it was kept"
    assert [note["kind"] for note in evening.record()["pending"]] == [OPENED]
    evening.age_claim()
    evening.minutes(1, ZERO)
    assert evening.told() == [(OPENED, "CRITICAL")]
    assert evening.record()["pending"] == []


def test_a_topic_that_refuses_once_is_tried_again(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("sns", "access-denied", calls=1) as fault:
        evening.source_is("DISCONNECTED", "encoder")
    assert fault.hits == 1
    assert evening.told() == [(OPENED, "CRITICAL")]
    assert evening.record()["pending"] == []


def test_the_same_event_delivered_five_times_at_once_is_told_once(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(2, GOOD_RTP)
    detail = {"unhealthy": True, "current": {"state": "DISCONNECTED"}}
    started = [
        delivery
        for _ in range(5)
        for delivery in evening.deliver("MediaConnect Source Health", detail, evening.source_arn("encoder"))
    ]
    ended = [wait_for(str(delivery.execution_arn)) for delivery in started]
    assert [execution.status for execution in ended] == ["SUCCEEDED"] * 5
    assert evening.told() == [(OPENED, "CRITICAL")]


def test_quiet_check_makes_five_calls(begin: Begin) -> None:
    evening = begin("show")
    evening.minutes(2, GOOD_RTP)
    evening.put(GOOD_RTP)
    INVOCATIONS.clear()
    with faults.recorded_targets() as calls:
        evening.pass_seconds(60)
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
    assert evening.told() == []


def test_an_event_that_cannot_reach_the_workflow_is_kept_as_it_came(begin: Begin) -> None:
    evening = begin("show")
    with faults.failing("eventbridge", "crash"):
        evening.source_is("DISCONNECTED", "encoder")
    assert [kept["detail-type"] for kept in evening.dead_letters()] == ["MediaConnect Source Health"]


def test_schedules_that_stop_are_told_by_the_chain_and_new_ones_are_not(begin: Begin) -> None:
    evening = begin("show")
    evening.pass_seconds(180, looks=False)
    assert evening.told() == [], "a new environment has not missed anything"
    evening.minutes(3, GOOD_RTP)
    for _ in range(7):
        evening.put(GOOD_RTP)
        evening.pass_seconds(60, looks=False)
    assert evening.told() == [], "datapoints of the last checks may still be on their way"
    for _ in range(3):
        evening.put(GOOD_RTP)
        evening.pass_seconds(60, looks=False)
    (message,) = evening.messages()
    assert message.topic_arn.endswith("media-workflow-venue-chain")
    assert "no-scheduled-checks" in message.subject
    assert message.recipients == ("email all@example.com", "sms +12025550123")
