"""The review mentions every change: each attribute of the deployed configuration is changed in turn."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.plans.plans import plan_text
from tools.plan_review import as_json, as_markdown, read_plan, review
from tools.plan_review.differences import parsed

Path = tuple[Any, ...]
BASES = ("nothing", "nothing_prod")


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every part of a value, also inside JSON texts; empty objects and lists count."""
    inside = parsed(value)
    if isinstance(inside, dict) and inside:
        for key in inside:
            yield from leaves(inside[key], (*path, key))
    elif isinstance(inside, list) and inside:
        for position in range(len(inside)):
            yield from leaves(inside[position], (*path, position))
    else:
        yield path


def other(value: Any) -> Any:
    """Another value of the same type, or one where there was none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value}-other"
    if isinstance(value, list):
        return ["other"]
    return {"other": "other"} if isinstance(value, dict) else "other"


def with_other(value: Any, path: Path) -> Any:
    """`value` with another one at a path; a JSON text stays a text."""
    if not path:
        return other(value)
    inside = copy.deepcopy(parsed(value))
    inside[path[0]] = with_other(inside[path[0]], path[1:])
    return json.dumps(inside) if isinstance(value, str) else inside


def written(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def is_hidden(shape: Any, path: Path) -> bool:
    for step in path:
        if shape is True:
            return True
        try:
            shape = shape[step]
        except (KeyError, IndexError, TypeError):
            return False
    return shape is True


def deployed(base: str) -> list[dict[str, Any]]:
    """The resources of a deployed environment, as a plan without changes lists them."""
    changes: list[dict[str, Any]] = json.loads(plan_text(base))["resource_changes"]
    return [item for item in changes if item["mode"] == "managed"]


def changed(item: dict[str, Any], before: Any, after: Any, actions: list[str]) -> str:
    """A plan that changes one resource."""
    change = {**item["change"], "actions": actions, "before": before, "after": after}
    return json.dumps({"format_version": "1.2", "resource_changes": [{**item, "change": change}]})


@pytest.mark.parametrize("base", BASES)
def test_every_changed_attribute_is_mentioned(base: str) -> None:
    tried = 0
    for item in deployed(base):
        before = item["change"]["after"]
        for path in leaves(before):
            text = changed(item, before, with_other(before, path), ["update"])
            found = review(read_plan(text))
            shown = as_markdown(found)
            assert f"`{item['address']}`" in shown, (item["address"], path)
            hidden = is_hidden(item["change"]["after_sensitive"], path)
            top = written(path[:1]) if hidden else written(path).replace("<", "(").replace(">", ")")
            assert f"- `{top}" in shown, (item["address"], written(path), shown)
            assert "Nothing changes" not in shown
            in_json = json.loads(as_json(found))["changes"]
            assert [entry["path"] for entry in in_json[0]["attributes"]], (item["address"], path)
            tried += 1
    assert tried > 2000


@pytest.mark.parametrize("base", BASES)
def test_every_deleted_resource_is_mentioned(base: str) -> None:
    for item in deployed(base):
        shown = as_markdown(review(read_plan(changed(item, item["change"]["before"], None, ["delete"]))))
        assert f"`{item['address']}`: deleted" in shown
        for name, value in item["change"]["before"].items():
            if value not in (None, "", [], {}):
                assert f"- `{name}" in shown, (item["address"], name)


def test_sensitive_values_are_never_shown() -> None:
    tried = 0
    for item in deployed("nothing"):
        before = item["change"]["after"]
        for path in leaves(before):
            if not is_hidden(item["change"]["after_sensitive"], path):
                continue
            secret = with_other(before, path)
            target, source = secret, before
            for step in path[:1]:
                target, source = target[step], source[step]
            found = review(read_plan(changed(item, before, secret, ["update"])))
            for shown in (as_markdown(found), as_json(found)):
                for value in (target, source):
                    if value is None:
                        continue
                    words = value if isinstance(value, str) else json.dumps(value)
                    assert words not in shown
                    assert json.dumps(words)[1:-1] not in shown
                assert "(sensitive)" in shown or '"sensitive": true' in shown
            tried += 1
    assert tried > 50
