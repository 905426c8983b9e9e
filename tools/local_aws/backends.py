"""What moto holds of queues, flows and datapoints, for the modules that act as one of AWS's services.

The only module that reads a private attribute of moto. What changes an answer of moto's belongs into a gap.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from moto.cloudwatch.models import cloudwatch_backends
from moto.mediaconnect.models import mediaconnect_backends
from moto.sqs.models import sqs_backends

ACCOUNT_ID: Final = "123456789012"


def naive(moment: datetime) -> datetime:
    """A time as moto keeps it: naive UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def attached(owner: Any, name: str, make: Callable[[], Any]) -> Any:
    """State of the local AWS that lives as long as an object of moto; made when it is first asked for."""
    state = vars(owner)
    if name not in state:
        state[name] = make()
    return state[name]


def put_datapoint(
    region: str, metric: tuple[str, str], dimension: tuple[str, str], value: float, *, at: datetime
) -> None:
    """Put a datapoint that a service counts of itself. The metric is namespace and name."""
    namespace, name = metric
    datum = {
        "MetricName": name,
        "Dimensions": [{"Name": dimension[0], "Value": dimension[1]}],
        "Timestamp": naive(at),
        "Value": value,
    }
    cloudwatch_backends[ACCOUNT_ID][region].put_metric_data(namespace, [datum])


def send_to_queue(arn: str, body: str, attributes: Mapping[str, str] | None = None) -> None:
    """Send a message; attributes without a value are left out.

    Raises:
        ServiceException: there is no such queue, its policy denies it, or its key is out of reach.
    """
    *_, region, account_id, name = arn.split(":")
    sqs_backends[account_id][region].send_message(
        queue_name=name,
        message_body=body,
        message_attributes={
            key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items() if value
        },
    )


def queues(region: str, *, prefix: str = "") -> list[Any]:
    """Queues whose names begin with `prefix`."""
    return [queue for name, queue in sqs_backends[ACCOUNT_ID][region].queues.items() if name.startswith(prefix)]


def flow(arn: str) -> Any:
    """A flow in the state that it is in; DescribeFlow would end a transient one.

    Raises:
        KeyError: there is no such flow.
    """
    region, account_id = arn.split(":")[3:5]
    return mediaconnect_backends[account_id][region]._flows[arn]


def flow_arns(region: str) -> list[str]:
    """The ARNs of all flows."""
    return list(mediaconnect_backends[ACCOUNT_ID][region]._flows)
