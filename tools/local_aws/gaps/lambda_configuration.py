"""LoggingConfig and DeadLetterConfig of a function are stored and returned, and TracingConfig can be changed.

moto 5.2.5: drops all three, so that Terraform would plan them again each time.
AWS: https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
Remove when: moto returns what CreateFunction and UpdateFunctionConfiguration gave.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.awslambda.models import LambdaFunction

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
DROPPED: Final = ("LoggingConfig", "DeadLetterConfig")


@GAP.wraps(LambdaFunction, "__init__", "(self, account_id, spec, ...)")
def _init(
    init: Callable[..., None], self: Any, account_id: str, spec: dict[str, Any], *args: Any, **kwargs: Any
) -> None:
    init(self, account_id, spec, *args, **kwargs)
    self.stored = {key: spec[key] for key in DROPPED if spec.get(key)}
    self.logs_group_name = self.stored.get("LoggingConfig", {}).get("LogGroup", self.logs_group_name)


@GAP.wraps(LambdaFunction, "get_configuration", "(self, on_create=False)")
def _get_configuration(get: Callable[..., dict[str, Any]], self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    return {**get(self, *args, **kwargs), **self.stored}


@GAP.wraps(LambdaFunction, "update_configuration", "(self, config_updates)")
def _update_configuration(update: Callable[..., Any], self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
    self.stored |= {key: config_updates[key] for key in DROPPED if config_updates.get(key)}
    self.tracing_config = config_updates.get("TracingConfig", self.tracing_config)
    update(self, config_updates)
    found: dict[str, Any] = self.get_configuration()
    return found
