"""Checks the account's quotas against what an environment needs, before anything is deployed. Read-only.

Sizes of documents are checked at synth, in `components.sizes`. CloudWatch documents no quota of alarms. A check that
the credentials do not permit is reported as such, and the others go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from components.event_patterns import FLOWS_A_RULE
from settings import Environment, Flow, Names
from tools.operations import flows
from tools.operations.account import Clients

FUNCTIONS: Final = ("stream-monitor", "alert-handler")
KEPT_UNRESERVED: Final = 100
"""Concurrent executions that Lambda keeps for functions without a reservation (Lambda quotas)."""
FLOW_BITS_PER_SECOND: Final = 400_000_000
"""Over all outputs of a MEDIUM or LARGE flow (MediaConnect best practices)."""
SHARED_RULES: Final = 3
"""Rules of an environment in addition to those of its flows' events."""
DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"})
QUOTAS: Final = {
    "mediaconnect": (frozenset({"flows"}), 20),
    "events": (frozenset({"number of rules", "rules"}), 300),
}
"""Names of a quota in Service Quotas, and AWS's default if it cannot be read there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked.
        found: what the account has.
        needed: what the environment needs.
        fine: whether that is enough; None if it could not be checked.
        fix: what to do if it is not.
    """

    name: str
    found: str
    needed: str
    fine: bool | None
    fix: str

    def __str__(self) -> str:
        word = {True: "ok", False: "NOT OK", None: "not checked"}[self.fine]
        line = f"{word}: {self.name}: {self.found}; needed: {self.needed}."
        return line if self.fine else f"{line} {self.fix}"


def checks(clients: Clients, environment: Environment) -> list[Check]:
    """All checks of an environment; what fails a deployment first comes first."""
    found: list[Check] = []
    for name, needed, check in _CHECKS:
        try:
            found += check(clients, environment)
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            action = f"{error.operation_name}: {error.response['Error'].get('Message', 'access denied')}"
            fix = "Allow the call for these credentials, or check it in the console."
            found.append(Check(name=name, found=action.rstrip("."), needed=needed, fine=None, fix=fix))
    return found


def _flow_count(clients: Clients, environment: Environment) -> Iterator[Check]:
    pages = clients("mediaconnect").get_paginator("list_flows").paginate()
    existing = sum(len(page["Flows"]) for page in pages)
    new = sum(flow.arn is None for flow in flows.states(clients, environment))
    quota, source = _quota(clients, "mediaconnect")
    yield Check(
        name="MediaConnect flows",
        found=f"{existing} of {quota} flows in {environment.region} ({source})",
        needed=f"{new} more",
        fine=existing + new <= quota,
        fix=f'Ask for at least {existing + new} with Service Quotas, "AWS Elemental MediaConnect", "Flows".',
    )


def _rules(clients: Clients, environment: Environment) -> Iterator[Check]:
    pages = clients("events").get_paginator("list_rules").paginate()
    names = [rule["Name"] for page in pages for rule in page["Rules"]]
    ours = sum(name.startswith(f"{Names(environment.name).prefix}-") for name in names)
    new = max(0, SHARED_RULES + -(-len(environment.flows) // FLOWS_A_RULE) - ours)
    quota, source = _quota(clients, "events")
    yield Check(
        name="EventBridge rules",
        found=f"{len(names)} of {quota} rules on the default bus ({source})",
        needed=f"{new} more",
        fine=len(names) + new <= quota,
        fix=f'Ask for at least {len(names) + new} with Service Quotas, "Amazon EventBridge", "Number of rules".',
    )


def _concurrency(clients: Clients, environment: Environment) -> Iterator[Check]:
    limit = clients("lambda").get_account_settings()["AccountLimit"]
    total, unreserved = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    found = f"{total} concurrent executions in all, {unreserved} of them unreserved"
    ask = 'Ask for more with Service Quotas, "AWS Lambda", "Concurrent executions"'
    if (wanted := environment.reserved_concurrency) is None:
        yield Check(
            name="Lambda concurrency",
            found=found,
            needed=f"{len(environment.flows)}, as all flows are checked at the same time",
            fine=unreserved >= len(environment.flows),
            fix=f"{ask}.",
        )
        return
    more = sum(wanted - _reserved(clients("lambda"), Names(environment.name).function(part)) for part in FUNCTIONS)
    yield Check(
        name="Lambda concurrency",
        found=found,
        needed=f"{more} more reserved for two functions, with {KEPT_UNRESERVED} left unreserved",
        fine=more <= 0 or unreserved - more >= KEPT_UNRESERVED,
        fix=f"{ask}, or leave reserved_concurrency = {wanted} out: Lambda refuses the reservation.",
    )


def _reserved(client: Any, function: str) -> int:
    try:
        return int(client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", 0))
    except client.exceptions.ResourceNotFoundException:
        return 0


def _throughput(_: Clients, environment: Environment) -> Iterator[Check]:
    for flow in environment.flows:
        if most := _bits_per_second(flow):
            yield Check(
                name=f"Throughput of {flow.name}",
                found=f"{FLOW_BITS_PER_SECOND / 1e6:g} Mb/s over all outputs of a {flow.size} flow",
                needed=f"{most / 1e6:g} Mb/s, its max_bitrate_bps to each enabled output",
                fine=most <= FLOW_BITS_PER_SECOND,
                fix="Lower max_bitrate_bps, or divide the outputs between two flows.",
            )


def _bits_per_second(flow: Flow) -> int:
    """The most that a flow sends; 0 where its settings do not limit the source."""
    return (flow.source.given("max_bitrate_bps") or 0) * sum(output.enabled for output in flow.outputs.values())


def _sms(clients: Clients, environment: Environment) -> Iterator[Check]:
    numbers = [item.endpoint for item in environment.notifications if item.protocol == "sms"]
    if not numbers:
        return
    client = clients("sns")
    if client.get_sms_sandbox_account_status()["IsInSandbox"]:
        pages = client.get_paginator("list_sms_sandbox_phone_numbers").paginate()
        verified = {
            item["PhoneNumber"] for page in pages for item in page["PhoneNumbers"] if item["Status"] == "Verified"
        }
        missing = sorted({*numbers} - verified)
        yield Check(
            name="SMS sandbox",
            found=f"the account is in the sandbox, with {len(verified)} verified numbers",
            needed=f"{', '.join(missing)} verified" if missing else "every SMS recipient verified",
            fine=not missing,
            fix="Leave the sandbox or verify the numbers: SNS console, Text messaging (SMS). SNS drops them otherwise.",
        )
    else:
        found = "the account has left the sandbox"
        yield Check(name="SMS sandbox", found=found, needed="nothing more", fine=True, fix="")
    if american := [number for number in numbers if number.startswith("+1")]:
        pages = client.get_paginator("list_origination_numbers").paginate()
        count = sum(len(page["PhoneNumbers"]) for page in pages)
        yield Check(
            name="SMS origination identity",
            found=f"{count} origination numbers",
            needed=f"one for {', '.join(american)}",
            fine=count > 0,
            fix="Request a toll-free number, 10DLC number or short code: SNS sends none to the US without.",
        )


def _quota(clients: Clients, service: str) -> tuple[int, str]:
    """A quota of the account and its source; AWS's default if it cannot be read."""
    names, default = QUOTAS[service]
    try:
        pages = clients("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode=service)
        for page in pages:
            for quota in page["Quotas"]:
                if quota["QuotaName"].lower() in names:
                    return int(quota["Value"]), "Service Quotas"
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
    return default, "AWS's default"


_CHECKS: Final[tuple[tuple[str, str, Callable[[Clients, Environment], Iterator[Check]]], ...]] = (
    ("MediaConnect flows", "room for the flows", _flow_count),
    ("Lambda concurrency", "room for both functions", _concurrency),
    ("EventBridge rules", "room for the rules", _rules),
    ("Throughput", "what the outputs send", _throughput),
    ("SMS", "recipients that SNS sends to", _sms),
)
