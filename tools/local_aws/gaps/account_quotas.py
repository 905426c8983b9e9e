"""What an account may hold, and whether it is still in the SMS sandbox. moto knows neither.

New accounts have a concurrency of 10 in all, and Lambda keeps 100 unreserved; moto checks it once it knows the quota.
"""

import json
import os
from dataclasses import dataclass, field
from typing import Any, Final

from moto.awslambda import responses as awslambda
from moto.awslambda import urls as awslambda_urls
from moto.awslambda.models import lambda_backends
from moto.core.responses import ActionResult
from moto.servicequotas.responses import ServiceQuotasResponse
from moto.sns.responses import SNSResponse

CONCURRENCY: Final = "MOTO_LAMBDA_CONCURRENCY_QUOTA"
USUAL_CONCURRENCY: Final = 1000


@dataclass(slots=True)
class Account:
    """What tests set of an account; as it is here, it is one in use for long."""

    in_sandbox: bool = False
    verified: list[str] = field(default_factory=list)
    origination: list[str] = field(default_factory=lambda: ["+12025550199"])
    quotas: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"mediaconnect": {"Flows": 20.0}, "events": {"Number of rules": 300.0}}
    )


ACCOUNT: Final = Account()


def _settings_of_account(self: Any) -> Any:
    limit = int(os.environ.get(CONCURRENCY, USUAL_CONCURRENCY))
    functions = lambda_backends[self.current_account][self.region].list_functions()
    reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
    body = {
        "AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit - reserved},
        "AccountUsage": {"FunctionCount": len(list(functions))},
    }
    return 200, {}, json.dumps(body)


def _sandbox(self: Any) -> ActionResult:
    del self
    return ActionResult({"IsInSandbox": ACCOUNT.in_sandbox})


def _sandbox_numbers(self: Any) -> ActionResult:
    del self
    return ActionResult({"PhoneNumbers": [{"PhoneNumber": one, "Status": "Verified"} for one in ACCOUNT.verified]})


def _origination_numbers(self: Any) -> ActionResult:
    del self
    return ActionResult({"PhoneNumbers": [{"PhoneNumber": one, "Status": "ACTIVE"} for one in ACCOUNT.origination]})


def _quotas(self: Any) -> str:
    code = json.loads(self.body)["ServiceCode"]
    quotas = ACCOUNT.quotas.get(code, {})
    return json.dumps(
        {"Quotas": [{"ServiceCode": code, "QuotaName": name, "Value": value} for name, value in quotas.items()]}
    )


def install() -> None:
    """Answer the calls with which an account says what it may hold."""
    awslambda.LambdaResponse.get_account_settings = _settings_of_account
    path = r"{0}/(?P<api_version>[^/]+)/account-settings/?$"
    awslambda_urls.url_paths[path] = awslambda.LambdaResponse.dispatch
    SNSResponse.get_sms_sandbox_account_status = _sandbox
    SNSResponse.list_sms_sandbox_phone_numbers = _sandbox_numbers
    SNSResponse.list_origination_numbers = _origination_numbers
    ServiceQuotasResponse.list_service_quotas = _quotas
