"""Whether what is deployed is still what the configuration says.

A flow that was started or stopped is no drift: on air or not is no attribute of what Terraform keeps.
"""

from typing import Final

from tools.operations import deployment
from tools.operations.deployment import CHANGES, FOLDER, PLAN_FILE
from tools.operations.review import review_of
from tools.plan_review import Review
from tools.terraform.binary import terraform

SUBSCRIPTION: Final = "aws_sns_topic_subscription"
UNCONFIRMED: Final = (
    "A subscription that would be created again was probably never confirmed: SNS deletes unconfirmed ones after three "
    "days. Deploy again, and let its owner follow the link in the confirmation within three days."
)


def explained(found: Review, text: str) -> str:
    """The text of a drift, and what is behind it where AWS itself changed something."""
    gone = any(change.type == SUBSCRIPTION and change.action == "create" for change in found.touched)
    return f"{text.rstrip()}\n\n{UNCONFIRMED}\n" if gone else text


def drift(environment: str) -> Review | None:
    """The review of what would change, or None if nothing would.

    Raises:
        StepError: the configuration cannot be synthesized or initialised.
        TerraformError: terraform cannot run here or could not plan; that is no drift, and nothing is known.
    """
    with deployment.prepared(environment, "drift") as environ:
        # A look that changes nothing needs no lock, and must not keep a deployment waiting.
        planned = terraform(
            *("plan", "-detailed-exitcode", "-lock=false", "-no-color", f"-out={PLAN_FILE}"),
            folder=FOLDER,
            environ=environ,
            accept=(0, CHANGES),
        )
        if planned.returncode != CHANGES:
            return None
        return review_of(terraform("show", "-json", PLAN_FILE, folder=FOLDER, environ=environ).stdout)
