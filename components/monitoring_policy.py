"""Monitoring policy of one flow, stored as an SSM parameter: health rules, on-air policy, incident policy.

The state machine and the functions are generic, so that a changed threshold redeploys no code.
"""

import json
from collections.abc import Sequence
from typing import Final
from zlib import crc32

from constructs import Construct

from components.aws import SsmParameter
from components.functions import Function
from components.health_rules import HealthRule
from components.site import Site
from settings import Environment, Flow

POLICY_SCHEMA: Final = 2
"""The schema of the parameter's value, which is `SCHEMA` of `lambda_src/report.py`."""


class MonitoringPolicy(Construct):
    """The parameter of one flow, named after it; `after` is the function that reads it, updated first."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        site: Site,
        environment: Environment,
        flow: Flow,
        flow_arn: str,
        rules: Sequence[HealthRule],
        dashboard: str,
        after: Function,
    ) -> None:
        super().__init__(scope, id_)
        SsmParameter(
            self,
            "parameter",
            name=site.names.policy_parameter(flow.name),
            description=f"Monitoring policy of {flow.name}",
            type="String",
            # 4 KB are free; a flow with backup and content monitoring needs more.
            tier="Intelligent-Tiering",
            # A plan hides the value, and does not know it when the flow changes.
            tags={"OnAir": flow.on_air},
            value=json.dumps(
                {
                    "schema": POLICY_SCHEMA,
                    "environment": site.names.environment,
                    "flow_name": flow.name,
                    "flow_arn": flow_arn,
                    "on_air": flow.on_air,
                    "dashboard": dashboard,
                    "incident_policy": {
                        "reminder_minutes": environment.reminder_minutes,
                        "recovery_checks": environment.recovery_checks,
                        "settling_minutes": environment.settling_minutes,
                        "incident_history_days": environment.incident_history_days,
                    },
                    "outputs": sorted(crc32(name.encode()) for name, output in flow.outputs.items() if output.enabled),
                    "notice_severity": environment.notice_severity(flow),
                    "rules": [rule.as_json() for rule in rules],
                },
                separators=(",", ":"),  # spaces count against the size of a parameter
            ),
            depends_on=[after.resource],
        )
