"""Quotas of an account, and whether it is in the SMS sandbox.

A new account has a concurrency of 10 in all, and Lambda keeps 100 unreserved. moto checks the reserved concurrency of
a function against the quota in `CONCURRENCY`.

moto 5.2.5: lacks these calls.
AWS: https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
AWS: https://docs.aws.amazon.com/sns/latest/api/API_GetSMSSandboxAccountStatus.html
AWS: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
Remove when: moto answers these calls with values that a test can set.
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

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
CONCURRENCY: Final = "MOTO_LAMBDA_CONCURRENCY_QUOTA"
USUAL_CONCURRENCY: Final = 1000


@dataclass(slots=True)
class Account:
    """What a test can set of an account; the defaults are those of one that has been in use for long."""

    in_sandbox: bool = False
    verified: list[str] = field(default_factory=list)
    origination: list[str] = field(default_factory=lambda: ["+12025550199"])
    quotas: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"mediaconnect": {"Flows": 20.0}, "events": {"Number of rules": 300.0}}
    )


ACCOUNT: Final = Account()

GAP.adds(awslambda_urls.url_paths, r"{0}/(?P<api_version>[^/]+)/account-settings/?$")(awslambda.LambdaResponse.dispatch)


@GAP.adds(awslambda.LambdaResponse, "get_account_settings")
def _get_account_settings(self: Any) -> Any:
    limit = int(os.environ.get(CONCURRENCY, USUAL_CONCURRENCY))
    functions = lambda_backends[self.current_account][self.region].list_functions()
    reserved = sum(int(function.reserved_concurrency or 0) for function in functions)
    body = {
        "AccountLimit": {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit - reserved},
        "AccountUsage": {"FunctionCount": len(list(functions))},
    }
    return 200, {}, json.dumps(body)


@GAP.adds(SNSResponse, "get_sms_sandbox_account_status")
def _get_sms_sandbox_account_status(self: Any) -> ActionResult:
    del self
    return ActionResult({"IsInSandbox": ACCOUNT.in_sandbox})


@GAP.adds(SNSResponse, "list_sms_sandbox_phone_numbers")
def _list_sms_sandbox_phone_numbers(self: Any) -> ActionResult:
    del self
    return ActionResult({"PhoneNumbers": [{"PhoneNumber": one, "Status": "Verified"} for one in ACCOUNT.verified]})


@GAP.adds(SNSResponse, "list_origination_numbers")
def _list_origination_numbers(self: Any) -> ActionResult:
    del self
    return ActionResult({"PhoneNumbers": [{"PhoneNumber": one, "Status": "ACTIVE"} for one in ACCOUNT.origination]})


@GAP.adds(ServiceQuotasResponse, "list_service_quotas")
def _list_service_quotas(self: Any) -> str:
    code = json.loads(self.body)["ServiceCode"]
    quotas = ACCOUNT.quotas.get(code, {})
    return json.dumps(
        {"Quotas": [{"ServiceCode": code, "QuotaName": name, "Value": value} for name, value in quotas.items()]}
    )
