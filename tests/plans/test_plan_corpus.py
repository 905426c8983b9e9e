"""The verdicts on real plans, one change each and mixed; the expected ones are in `verdicts.toml`."""

import tomllib
from typing import Any

import pytest

from tests.plans.plans import FOLDER, corpus
from tools.plan_review import as_json, as_markdown, as_text, review
from tools.plan_review.allowances import allowances
from tools.plan_review.findings import Finding

VERDICTS: dict[str, dict[str, Any]] = tomllib.loads((FOLDER / "verdicts.toml").read_text(encoding="utf-8"))


def sentences_of(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{finding.rank.name} {finding.sentence}" for finding in findings]


def test_every_plan_has_an_expected_verdict() -> None:
    assert {path.name.removesuffix(".json.gz") for path in FOLDER.glob("*.json.gz")} == set(VERDICTS)
    assert len(VERDICTS) >= 25


@pytest.mark.parametrize("name", VERDICTS)
def test_plan_gets_expected_verdict(name: str) -> None:
    found = review(corpus(name), protect=True)
    for findings, expected in (
        (found.findings, VERDICTS[name]["findings"]),
        (found.drift, VERDICTS[name].get("drift", [])),
    ):
        sentences = sentences_of(findings)
        assert len(sentences) == len(expected), sentences
        for sentence, beginning in zip(sentences, expected, strict=True):
            assert sentence.startswith(beginning)
    assert found.blocked is VERDICTS[name]["blocked"]


@pytest.mark.parametrize("name", VERDICTS)
def test_comment_fits_and_shows_findings_and_changes(name: str) -> None:
    found = review(corpus(name), protect=True)
    shown = as_markdown(found)
    assert len(shown) < 60_000
    assert shown.count("<details>") == shown.count("</details>")
    for finding in found.findings:
        assert finding.rank.title in shown
    for change in found.touched:
        assert f"`{change.address}`" in shown or "Shortened" in shown
    in_json = as_json(found)
    for change in found.touched:
        assert f'"address": "{change.address}"' in in_json
    assert as_text(found).startswith(shown.splitlines()[1].removeprefix("## "))


@pytest.mark.parametrize(
    "name", [name for name, verdict in VERDICTS.items() if verdict["blocked"] and name != "errored"]
)
def test_blocked_plan_passes_only_when_all_of_it_is_allowed(name: str) -> None:
    found = review(corpus(name), protect=True)
    causes = sorted({cause for finding in found.findings if found.is_blocked(finding) for cause in finding.causes})
    listed = [f"{address}:{action}" for address, action in causes]
    assert all(f"--allow '{text}'" in as_markdown(found) for text in listed)
    assert not review(corpus(name), protect=True, allowed=allowances(listed)).blocked
    assert review(corpus(name), protect=True, allowed=allowances(listed[1:])).blocked


def test_plan_that_removes_protection_is_still_protected() -> None:
    assert review(corpus("protection_off_and_flow_removed"), protect=False).blocked
    assert not review(corpus("flow_renamed"), protect=False).blocked


def test_headline_names_environment_and_worst_rank() -> None:
    assert as_markdown(review(corpus("flow_renamed_prod"))).splitlines()[1] == "## Blocked in prod: off air"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("nothing", 122.80, 122.80),
        ("first_deploy", 0.0, 122.80),
        ("everything_destroyed", 122.80, 0.0),
        ("flow_removed", 240.50, 122.80),
        ("forgotten", 122.80, 122.80),
    ],
)
def test_monthly_cost_before_and_after(name: str, before: float, after: float) -> None:
    cost = review(corpus(name)).cost
    assert (round(cost.before, 2), round(cost.after, 2)) == (before, after)


def test_unknown_price_is_stated_and_not_guessed() -> None:
    cost = review(corpus("size_changed")).cost
    assert round(cost.after, 2) == 6.00
    assert "flow live-stream of size LARGE: no list price is known" in cost.unpriced
    assert "size LARGE: no list price is known" in as_markdown(review(corpus("size_changed")))


def test_changed_files_are_named_where_both_zips_are_known() -> None:
    before = {"a.py": "1", "b.py": "1", "gone.py": "1"}
    after = {"a.py": "1", "b.py": "2", "new.py": "1"}
    zips = iter([before, after])
    digests: dict[str, dict[str, str]] = {}
    found = review(corpus("code_changed"), files_of=lambda digest: digests.setdefault(digest, next(zips, after)))
    assert len(digests) == 2
    assert "changed: b.py; added: new.py; removed: gone.py" in found.findings[0].sentence
