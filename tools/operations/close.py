"""Closes the open incident of a flow by hand: the record, the history and the notification are the alert handler's.

The notification is sent at once, because after a `destroy` no check would send it. If it cannot be sent it stays in the
record, where the next check of the flow finds it.
"""

import copy
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from components.lambda_package import SOURCE
from settings import Environment, Names
from tools.operations.account import Account, Clients
from tools.operations.aws_errors import explained
from tools.operations.errors import InputError
from tools.operations.flows import FlowError, FlowState, open_incidents, states

if str(SOURCE) not in sys.path:
    sys.path.append(str(SOURCE))  # the root of the functions' zip

from alert_handler import outbox
from alert_handler.handler import publish
from alert_handler.handling import TRIES, BusyError, send_all
from alert_handler.record import Check, Notification, Record
from alert_handler.table import Table
from report import moment, rank

LONGEST_REASON: Final = 500


def close(
    clients: Clients,
    environment: Environment,
    flow: str,
    *,
    reason: str,
    account: Account,
    say: Callable[[str], None],
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Close the open incident of a flow and notify its recipients.

    Args:
        clients: of AWS.
        environment: whose flow it is.
        flow: its name; may be no longer in the settings, if it still has a record.
        reason: why, for the history and the notification.
        account: of the credentials, for the ARN of the topic and the name of who closes.
        say: receives what was done, a line each.
        clock: the time now, in UTC.

    Raises:
        InputError: the reason cannot be used, or nothing is known of such a flow.
        FlowError: it has no open incident, or its record is changed all the time.
    """
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON or not reason.isprintable():
        raise InputError(f"--reason needs 1 to {LONGEST_REASON} printable characters.")
    names = Names(environment.name)
    dynamodb = clients("dynamodb")
    store, execution = Table(dynamodb, names.incidents_table), f"closed by {account.caller} at {clock().isoformat()}"
    found = states(clients, environment)
    state = next((item for item in found if item.name == flow), FlowState(flow, None, "not deployed", removed=True))
    for _ in range(TRIES):
        try:
            before, version = store.load(flow)
        except dynamodb.exceptions.ResourceNotFoundException as error:
            raise FlowError(
                f"{environment.name} has no incidents: the table {names.incidents_table} does not exist."
            ) from error
        if before["incident"] is None:
            raise _nothing_open(clients, environment, flow, found, known=version > 0)
        check = _check(environment, state, account, clock())
        after = closed(before, check, reason)
        mine = outbox.may_send(after, execution, clock())
        after = outbox.claimed(after, execution, clock()) if mine else after
        if store.save(flow, after, over=version):
            break
    else:
        raise FlowError(f"Checks keep changing the record of {flow}. Nothing was closed. Try again.")
    incident = before["incident"]
    say(f"Closed the incident of {flow}: {incident['severity']}, open since {incident['opened']}.")
    os.environ["TOPIC_ARN"] = environment.existing_topic_arn or (
        f"arn:{account.partition}:sns:{environment.region}:{account.id}:{names.topic}"
    )  # where the function takes it from
    sns = clients("sns")
    days = environment.incident_history_days
    try:
        sent = mine and send_all(
            flow,
            after,
            version + 1,
            days=days,
            execution=execution,
            store=store,
            send=lambda notification: publish(sns, notification),
        )
    except (BotoCoreError, ClientError, BusyError) as error:
        say(f"Not sent yet: {str(error) if isinstance(error, BusyError) else explained(error)[0]}")
        sent = False
    say("Its recipients are notified." if sent else "The next check of the flow sends the notification.")
    say("A check that finds a problem opens a new incident.")


def closed(before: Record, check: Check, reason: str) -> Record:
    """The record after its open incident was closed by hand, with the notification pending. Pure.

    Args:
        before: a record with an open incident; left as it is.
        check: who closed it, when, and what the flow was then.
        reason: why.
    """
    record = copy.deepcopy(before)
    incident = record["incident"]
    assert incident is not None  # noqa: S101  the caller has checked
    # Never before what it is made of: checks up to then are part of what was closed.
    time = max(check["timestamp"], incident["last_bad"], incident["opened"], key=moment)
    incident["number"] += 1
    notification: Notification = {
        "id": f"{check['flow_name']}/{incident['opened']}/{incident['number']}",
        "kind": "closed",
        "severity": incident["severity"],
        "check": check,
        "issues": sorted(incident["issues"].values(), key=lambda issue: (rank(issue["severity"]), issue["about"])),
        "incident": incident["opened"],
        "began": incident["opened"],
        "ended": time,
        "worst": sorted(incident["worst"].values(), key=lambda item: item["metric"]),
        "detail": reason,
    }
    incident.update({"closed": time, "reason": reason, "event_evidence": {}})
    return {
        **record,
        "incident": None,
        "closed": time,
        "healthy_as_of": time,  # late data from before then is part of what was closed
        "pending": [*record["pending"], notification],
        "to_keep": [*record["to_keep"], incident],
    }


def _nothing_open(
    clients: Clients, environment: Environment, flow: str, found: list[FlowState], *, known: bool
) -> FlowError | InputError:
    names = [item.name for item in found]
    if not known and flow not in names:
        return InputError(f'No flow "{flow}" in {environment.name}, and no record of one. Flows: {", ".join(names)}.')
    others = ", ".join(open_incidents(clients, environment, names)) or "none"
    return FlowError(f"No incident of {flow} is open in {environment.name}. Flows with an open incident: {others}.")


def _check(environment: Environment, state: FlowState, account: Account, now: datetime) -> Check:
    """What the message has of the flow. A flow that is gone has an ARN that leads nowhere, as any deleted one."""
    region = environment.region
    gone = f"arn:{account.partition}:mediaconnect:{region}:{account.id}:flow:removed:{state.name}"
    return {
        "flow_name": state.name,
        "flow_arn": state.arn or gone,
        "flow_status": state.status,
        "environment": environment.name,
        "dashboard": Names(environment.name).dashboard,
        "execution": "",
        "timestamp": now.isoformat(timespec="seconds"),
        "trigger": {"kind": "person", "name": account.caller.rpartition(":")[2]},
        "sources": [],
    }
