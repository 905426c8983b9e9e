"""The stack of one environment: flows, monitoring and notifications.

Touch with care: construct ids are addresses in state; renaming one destroys and recreates its resources.
"""

from dataclasses import replace
from pathlib import Path

from cdktf import Precondition, TerraformOutput, TerraformResource, TerraformResourceLifecycle
from constructs import Construct

from components.alarms import SILENT, FlowAlarms
from components.ci_permissions import boundary_arn, key_grants
from components.dashboard import Dashboard, self_monitoring_graphs
from components.dashboard_layout import FlowGraphs, page_of
from components.encryption import EncryptionKey, ExistingKey
from components.flow import FlowModule, MediaConnectFlow
from components.functions import Code, Function, alert_handler, stream_monitor
from components.health_rules import health_rules
from components.incidents import Incidents
from components.lambda_package import lambda_package
from components.monitoring_policy import MonitoringPolicy
from components.notifications import ExistingTopic, Notifications
from components.second_path import SecondPath
from components.self_monitoring_alarms import SelfMonitored, SelfMonitoringAlarms, self_monitoring_rows
from components.triggers import DeadLetters, Triggers
from components.workflow import Workflow
from settings import Environment
from stacks.aws_stack import STATE_KEY, WORKSPACE_KEY_PREFIX, AwsStack


class MediaWorkflow(AwsStack):
    """Flows, alarms, dashboard, events, workflow, functions and topic of one environment."""

    def __init__(self, scope: Construct, id_: str, environment: Environment, *, build: Path) -> None:
        tags = environment.resource_tags
        super().__init__(scope, id_, environment, tags=tags)
        self._keep_state(environment)
        self._guard_workspace(environment.name)
        site = self.site()
        if environment.ci:
            # A pipeline can only create and change roles that have it; the ci-access stack creates it.
            site = replace(site, permissions_boundary=boundary_arn(site))

        key = (
            ExistingKey(environment.existing_key_arn)
            if environment.existing_key_arn
            else EncryptionKey(
                self,
                "encryption",
                site=site,
                protect=environment.protect,
                pipeline=key_grants(site) if environment.ci else (),
            )
        )
        notifications = (
            ExistingTopic(environment.existing_topic_arn)
            if environment.existing_topic_arn
            else Notifications(self, "notifications", site=site, key_arn=key.arn, subscribers=environment.notifications)
        )
        # Readers are updated before writers: `lambda_src/schema.py` says why.
        code = Code(
            self,
            "code",
            site=site,
            key_arn=key.arn,
            package=lambda_package(),
            build=build,
            existing_bucket=environment.existing_code_bucket,
        )
        concurrency = environment.reserved_concurrency
        incidents = Incidents(self, "incidents", site=site, key_arn=key.arn, protect=environment.protect)
        handler = Function(
            self,
            "alert_handler",
            alert_handler(
                site=site,
                topic_arn=notifications.topic_arn,
                self_monitoring_topic_arn=notifications.self_monitoring_topic_arn,
                table_name=incidents.name,
                table_arn=incidents.arn,
                key_arn=key.arn,
                concurrency=concurrency,
            ),
            site=site,
            code=code,
            key_arn=key.arn,
        )
        monitor = Function(
            self,
            "stream_monitor",
            stream_monitor(site=site, flow_tags=tags, concurrency=concurrency),
            site=site,
            code=code,
            key_arn=key.arn,
            after=handler,
        )
        module = FlowModule(self, "flow_module", build=build)
        flows: dict[str, MediaConnectFlow] = {}
        rules = {flow.name: health_rules(flow, environment.thresholds_of(flow)) for flow in environment.flows}
        pages = page_of(rules)
        graphs = []
        for flow in environment.flows:
            flows[flow.name] = built = MediaConnectFlow(
                self,
                f"flow_{flow.name}",
                site=site,
                flow=flow,
                thresholds=environment.thresholds_of(flow),
                module=module,
                protect=environment.protect,
                allow_open_cidr=environment.allow_open_cidr,
                tags=tags,
            )
            MonitoringPolicy(
                self,
                f"policy_{flow.name}",
                site=site,
                environment=environment,
                flow=flow,
                flow_arn=built.arn,
                rules=rules[flow.name],
                dashboard=site.names.dashboard_page(pages[flow.name]),
                after=monitor,
            )
            alarms = FlowAlarms(
                self,
                f"alarms_{flow.name}",
                site=site,
                flow_name=flow.name,
                flow_arn=built.arn,
                rules=rules[flow.name],
            )
            graphs.append(
                FlowGraphs(name=flow.name, flow_arn=built.arn, rules=rules[flow.name], alarm_arns=alarms.arns)
            )

        dead_letters = DeadLetters(self, "dead_letters", site=site)
        workflow = Workflow(
            self,
            "workflow",
            site=site,
            kind=environment.workflow_type,
            stream_monitor=monitor,
            alert_handler=handler,
            self_monitoring_topic_arn=notifications.self_monitoring_topic_arn,
            dead_letters=dead_letters,
            key_arn=key.arn,
            topic_key_arn=key.arn if environment.existing_topic_arn else None,
        )
        triggers = Triggers(
            self,
            "triggers",
            site=site,
            state_machine_arn=workflow.arn,
            dead_letters=dead_letters,
            flow_arns={name: flow.arn for name, flow in flows.items()},
            presence_keys=sorted(
                {SILENT} | {rule.key for rows in rules.values() for rule in rows if rule.watches_presence}
            ),
            check_every_minutes=environment.check_every_minutes,
        )
        second_path = SecondPath(self, "second_path", site=site, topic_arn=notifications.topic_arn, key_arn=key.arn)
        self_monitored = SelfMonitored(
            functions={"stream-monitor": monitor.name, "alert-handler": handler.name},
            state_machine_arn=workflow.arn,
            rule_names=triggers.rule_names | {second_path.part: second_path.rule_name},
            queue_name=dead_letters.name,
            topic_names={"alerts": notifications.topic_name}
            | ({} if environment.existing_topic_arn else {"chain": notifications.self_monitoring_topic_name}),
            undelivered_queue_name=notifications.undelivered_queue_name,
            second_path_arn=second_path.machine_arn,
            schedule_group=triggers.schedule_group,
            check_every_minutes=environment.check_every_minutes,
        )
        SelfMonitoringAlarms(
            self,
            "chain_alarms",
            site=site,
            rows=self_monitoring_rows(self_monitored),
            topic_arn=notifications.self_monitoring_topic_arn,
        )
        dashboard = Dashboard(
            self,
            "dashboard",
            site=site,
            flows=graphs,
            pages=pages,
            self_monitored=self_monitoring_graphs(self_monitored, environment=environment.name),
        )

        for name, value, description in (
            ("flow_arns", {name: flow.arn for name, flow in flows.items()}, "ARN of each flow"),
            (
                "ingest",
                {name: flow.ingest for name, flow in flows.items()},
                "Address and port that the encoders of each flow send to",
            ),
            (
                "state_machine_arn",
                workflow.arn,
                'State machine of the workflow; start it with {"flow_name": ...} to check a flow',
            ),
            ("dead_letters_url", dead_letters.url, "Dead-letter queue; `make replay` runs its content again"),
            ("incidents_table", incidents.name, "Table of open and closed incidents"),
            ("topic_arn", notifications.topic_arn, "Topic of the alerts"),
            ("dashboard_url", dashboard.url, "CloudWatch dashboard"),
            ("stream_monitor_arn", monitor.arn, "Function that checks a flow"),
            ("alert_handler_arn", handler.arn, "Function that keeps incidents and notifies"),
        ):
            TerraformOutput(self, name, value=value, description=description, static_id=True)

    def _keep_state(self, environment: Environment) -> None:
        if environment.state_bucket_name is None:
            self.keep_state_here(STATE_KEY, workspaces=f"{STATE_KEY}.d")
        else:
            self.keep_state_in(environment.state_bucket_name, STATE_KEY, workspace_key_prefix=WORKSPACE_KEY_PREFIX)

    def _guard_workspace(self, environment_name: str) -> None:
        """Fail the plan if one environment was synthesized and another one's state is selected."""
        guard = TerraformResource(
            self,
            "workspace",
            # Not CDKTF's DataResource: that runs `terraform version` at each synth, and we require a newer one anyway.
            terraform_resource_type="terraform_data",
            lifecycle=TerraformResourceLifecycle(
                precondition=[
                    Precondition(
                        condition=f'${{terraform.workspace == "{environment_name}"}}',
                        error_message=(
                            f"This configuration was synthesized for {environment_name}, but the workspace is "
                            f"${{terraform.workspace}}. Set TF_WORKSPACE={environment_name}, or synthesize again "
                            "with TF_WORKSPACE set to the environment you mean."
                        ),
                    )
                ]
            ),
        )
        guard.add_override("input", {"environment": environment_name})
