"""LoggingConfig and DeadLetterConfig of a function. moto forgets them, so a plan would never be empty."""

from typing import Any

from moto.awslambda import models

FORGOTTEN = ("LoggingConfig", "DeadLetterConfig")


def install() -> None:
    """Store the settings and give them back."""
    create, described, update = (
        models.LambdaFunction.__init__,
        models.LambdaFunction.get_configuration,
        models.LambdaFunction.update_configuration,
    )

    def remember(self: Any, account_id: str, spec: dict[str, Any], region: str, version: Any = 1) -> None:
        create(self, account_id, spec, region, version)
        self.remembered = {key: spec[key] for key in FORGOTTEN if spec.get(key)}
        self.logs_group_name = self.remembered.get("LoggingConfig", {}).get("LogGroup", self.logs_group_name)

    def describe(self: Any, on_create: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002  moto's signature
        return {**described(self, on_create), **self.remembered}

    def change(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
        self.remembered |= {key: config_updates[key] for key in FORGOTTEN if config_updates.get(key)}
        self.tracing_config = config_updates.get("TracingConfig", self.tracing_config)
        update(self, config_updates)
        return describe(self)

    models.LambdaFunction.__init__ = remember
    models.LambdaFunction.get_configuration = describe
    models.LambdaFunction.update_configuration = change
