"""An empty Region of the local AWS, apart from the one where environments are deployed."""

import io
import json
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from moto.backends import get_backend
from moto.stepfunctions.parser.models import stepfunctions_parser_backends

from tools.local_aws import ACCOUNT_ID, LocalAws

SERVICES: Final = (
    *("awslambda", "cloudformation", "cloudwatch", "events", "logs", "mediaconnect", "scheduler", "sns", "sqs"),
)
ROLE: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/any"
EIGHT: Final = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def minute(number: float) -> datetime:
    """The moment that is some minutes after eight in the evening."""
    return EIGHT + timedelta(minutes=number)


@dataclass(frozen=True, slots=True)
class EmptyRegion:
    """A Region that is emptied for one test."""

    aws: LocalAws
    name: str = "eu-west-1"

    def __post_init__(self) -> None:
        backends: list[Any] = [stepfunctions_parser_backends]
        backends += [get_backend(service) for service in SERVICES]
        for backend in backends:
            backend[ACCOUNT_ID][self.name].reset()

    def client(self, service: str, **more: Any) -> Any:
        """A boto3 client of the service here, such as a function has."""
        make: Any = boto3.client
        return make(
            service,
            endpoint_url=self.aws.endpoint,
            region_name=self.name,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            **more,
        )

    def state_machine(self, name: str = "workflow", **states: Any) -> str:
        """The ARN of a new state machine; without states, it succeeds at once."""
        states = states or {"Look": {"Type": "Pass", "Next": "Done"}, "Done": {"Type": "Succeed"}}
        definition = {"StartAt": next(iter(states)), "States": states}
        created = self.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE
        )
        return str(created["stateMachineArn"])

    def function(self, name: str, file: str, code: str, **more: Any) -> str:
        """The ARN of a new function whose zip holds one file; its `handler` is run."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(file, code)
        created = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=self._role(),
            Handler=file.removesuffix(".py").replace("/", ".") + ".handler",
            Code={"ZipFile": packed.getvalue()},
            **more,
        )
        return str(created["FunctionArn"])

    def execution_input(self, arn: str | None) -> Any:
        """The input of an execution, which must have been started."""
        assert arn, "no execution was started"
        return json.loads(self.client("stepfunctions").describe_execution(executionArn=arn)["input"])

    def _role(self) -> str:
        client = self.client("iam")  # IAM has no Regions, so the role may exist
        with suppress(client.exceptions.EntityAlreadyExistsException):
            client.create_role(RoleName=ROLE.rpartition("/")[2], AssumeRolePolicyDocument="{}")
        return ROLE

    def queue(self, name: str) -> str:
        """The ARN of a new queue that events and topics of the account may send to."""
        arn = f"arn:aws:sqs:{self.name}:{ACCOUNT_ID}:{name}"
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]},
            "Action": "sqs:SendMessage",
            "Resource": arn,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})
        return arn

    def waiting(self, name: str) -> list[dict[str, Any]]:
        """Receive the messages of a queue, with all attributes."""
        client = self.client("sqs")
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(got.get("Messages", []))

    def topic(self, name: str) -> str:
        """The ARN of a new topic."""
        return str(self.client("sns").create_topic(Name=name)["TopicArn"])

    def rule(self, name: str, pattern: dict[str, Any], *targets: dict[str, Any], state: str = "ENABLED") -> str:
        """The ARN of a new rule with targets."""
        client = self.client("events")
        arn = client.put_rule(Name=name, EventPattern=json.dumps(pattern), State=state)["RuleArn"]
        client.put_targets(Rule=name, Targets=list(targets))
        return str(arn)

    def measure(
        self,
        metric: str,
        *values: float | None,
        start: float = 0,
        namespace: str = "AWS/MediaConnect",
        **dimensions: str,
    ) -> None:
        """Put one datapoint a minute, from minute `start` on; none where there is no value."""
        data = [
            {
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                "Timestamp": minute(start + number),
                "Value": value,
            }
            for number, value in enumerate(values)
            if value is not None
        ]
        if data:
            self.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
