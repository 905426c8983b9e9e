"""A gap that no longer fits the installed moto is named in a sentence, before a call fails for a reason nobody sees."""

import re
from types import ModuleType

import moto
import pytest

from tools.local_aws.gaps import GAPS
from tools.local_aws.moto_patches import NOTHING, Gap


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.GAP.name)
def test_gap_fits_the_installed_moto(gap: ModuleType) -> None:
    assert gap.GAP.problems() == []


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.GAP.name)
def test_gap_names_its_moto_its_source_and_its_end(gap: ModuleType) -> None:
    text = gap.__doc__ or ""
    written_for = re.findall(r"^moto (\S+): ", text, re.MULTILINE)
    assert written_for == [moto.__version__], (
        f"moto is {moto.__version__}, and {gap.__name__} was written for {written_for}: read in its docstring what moto"
        " did, remove the gap if it no longer does, or name the new version there"
    )
    assert re.search(r"^AWS: ", text, re.MULTILINE)
    assert re.search(r"^Remove when: ", text, re.MULTILINE)


class Owner:
    """A class of moto."""

    def call(self, name: str, more: int = 1) -> str:
        return f"{name} {more}"


@pytest.mark.parametrize(
    ("name", "signature", "problem"),
    [
        ("call", "(self, name, more=1)", None),
        ("call", "(self, name, ...)", None),
        ("call", "(self, other, ...)", "has the signature (self, name, more=1), and the gap was written for (self, other, ...)"),
        ("call", "(self, name)", "has the signature"),
        ("call", NOTHING, "moto now has Owner.call"),
        ("gone", "(self)", "Owner.gone (tests.local.test_moto_patches) is gone"),
        ("gone", NOTHING, None),
    ],
)  # fmt: skip
def test_patch_that_does_not_fit_is_reported_and_not_applied(name: str, signature: str, problem: str | None) -> None:
    gap = Gap("tools.local_aws.gaps.example")
    owner = type("Owner", (Owner,), {})
    owner.__module__ = __name__
    gap.exchange(owner, name, signature, lambda own: own)
    if problem is None:
        gap.install()
        return
    (found,) = gap.problems()
    assert found.startswith("Gap example: ")
    assert problem in found
    with pytest.raises(RuntimeError, match="Gap example: "):
        gap.install()


def test_wrapper_gets_the_part_of_moto_and_is_applied_once() -> None:
    gap = Gap("example")
    owner = type("Owner", (Owner,), {})

    @gap.wraps(owner, "call", "(self, name, ...)")
    def _call(own, self, name, **more):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN003, ANN202
        return own(self, name.upper(), **more) + "!"

    gap.install()
    gap.install()
    assert owner().call("a", more=2) == "A 2!"
