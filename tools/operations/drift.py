"""Whether what is deployed is still what the configuration says.

A started or stopped flow is no drift: Terraform does not know whether a flow is on air.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tools.operations import deployment, protection
from tools.operations.account import open_environment
from tools.operations.deployment import CHANGES, FOLDER, PLAN_FILE
from tools.operations.review import review_of
from tools.plan_review import Review, as_markdown, as_text
from tools.terraform.binary import terraform

SUBSCRIPTION: Final = "aws_sns_topic_subscription"
UNCONFIRMED: Final = (
    "A subscription that would be created again was probably never confirmed: SNS deletes unconfirmed ones after three "
    "days. Deploy again, and let its owner follow the link in the confirmation within three days."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a deployed environment differs from its configuration; false if it does not.

    Attributes:
        environment: its name.
        review: what a deployment would change; None if nothing.
        protection: where the protection of flows differs, a sentence each.
    """

    environment: str
    review: Review | None
    protection: Sequence[str]

    def __bool__(self) -> bool:
        return self.review is not None or bool(self.protection)

    def as_text(self) -> str:
        """For a terminal."""
        if self.review:
            first = with_cause(self.review, as_text(self.review))
        else:
            first = f"{self.environment} is deployed as it is configured."
        fix = f"`media-workflow deploy {self.environment}` sets it."
        return "\n".join([first, *(f"Protection: {line}. {fix}" for line in self.protection)])

    def as_markdown(self) -> str:
        """For an issue."""
        first = [with_cause(self.review, as_markdown(self.review))] if self.review else []
        return "\n".join([*first, *(f"- {line}" for line in self.protection)])


def find_drift(environment: str) -> Drift:
    """The drift of an environment.

    Raises:
        StepError: the configuration cannot be synthesized or initialised.
        TerraformError: Terraform cannot run or plan, so nothing is known.
    """
    review = _review(environment)
    settings, clients = open_environment(environment)
    return Drift(environment=environment, review=review, protection=protection.differences(clients, settings))


def with_cause(found: Review, text: str) -> str:
    """The text of a review, and the cause where AWS itself changed something."""
    gone = any(change.type == SUBSCRIPTION and change.action == "create" for change in found.touched)
    return f"{text.rstrip()}\n\n{UNCONFIRMED}\n" if gone else text


def _review(environment: str) -> Review | None:
    """The review of what would change, or None if nothing would."""
    with deployment.prepared(environment, "drift") as environ:
        # A plan that is never applied needs no lock, and must not delay a deployment.
        planned = terraform(
            *("plan", "-detailed-exitcode", "-lock=false", "-no-color", f"-out={PLAN_FILE}"),
            folder=FOLDER,
            environ=environ,
            accept=(0, CHANGES),
        )
        if planned.returncode != CHANGES:
            return None
        return review_of(terraform("show", "-json", PLAN_FILE, folder=FOLDER, environ=environ).stdout)
