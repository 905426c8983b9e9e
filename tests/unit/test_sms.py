"""What a phone shows: one part of a text message with what matters most, in characters that keep it one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alert_handler import sms
from alert_handler.message import LABELS, compose
from components.workflow_definition import sms_of_failure
from tests.unit.stream import check, issue
from tests.unit.test_message import STORIES, last_notification, notification_of


@pytest.mark.parametrize("story", STORIES)
def test_every_kind_fits_one_part_of_plain_characters(story: str) -> None:
    notified = notification_of(story)
    text = compose(notified).sms
    assert len(text.encode()) <= sms.PART
    assert set(text) <= sms.GSM
    about = "monitoring" if story.startswith("metrics") else "live-stream"
    assert text.startswith(f"{LABELS.get(notified['kind'], notified['severity'])} {about} (prod): ")


def test_sms_has_issue_count_time_and_action() -> None:
    more = issue("SourceJitter", "MEDIUM", meaning="Packets arrive unevenly.")
    text = compose(last_notification([check(0, issue(), more)])).sms
    assert text == (
        "CRITICAL live-stream (prod): The source is gone: viewers see nothing. (1 more, 20:00 UTC) "
        "First: call the sender."
    )


def test_action_is_left_out_where_it_would_need_a_second_part() -> None:
    long = issue(meaning=f"{'The source sends rubbish. ' * 3}".strip(), actions=["Call the sender. " * 5])
    text = compose(last_notification([check(0, long)])).sms
    assert text.endswith("rubbish. (20:00 UTC)")


def test_overlong_sms_is_cut_after_a_whole_word() -> None:
    text = compose(last_notification([check(0, issue(meaning="word " * 900))])).sms
    assert text.endswith(" word...")
    assert sms.PART - 8 <= len(text) <= sms.PART


def test_long_names_take_a_second_part() -> None:
    text = compose(last_notification([check(0, issue(), flow_name="f" * 128)])).sms
    assert "The source is gone: viewers see nothing." in text


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("“Encoder” — its «end»…", "'Encoder' - its 'end'..."),
        ("[a] {b} ~c|d\\e ^", "(a) (b) -c/d/e '"),
        ("Zoë à Zürich, ōsaka, naïve", "Zoe à Zürich, osaka, naive"),
        ("alarm 🚨 now →", "alarm now ->"),
        ("one\ntwo\x00three", "one two three"),
        ("Сигнал пропал", "Сигнал пропал"),
    ],
)
def test_characters_outside_gsm_are_replaced(given: str, kept: str) -> None:
    assert sms.plain(given) == kept


def test_other_alphabets_count_as_ucs_2() -> None:
    notified: Any = {**last_notification([check(0, issue())]), "kind": "closed", "detail": "Сигнал пропал " * 40}
    text = compose(notified).sms
    assert "Сигнал" in text
    assert len(text.encode("utf-16-be")) <= sms.PART


@given(st.text(max_size=4000), st.text(max_size=4000), st.lists(st.text(max_size=200), max_size=3))
def test_sms_is_never_longer_than_sns_delivers(names: str, what: str, more: list[str]) -> None:
    text = sms.short(names, what, more)
    assert len(text.encode()) <= sms.LIMIT
    assert len(text.encode("utf-16-be")) <= sms.LIMIT or set(text) <= sms.GSM


@pytest.mark.parametrize("environment", ["prod", "a-name-of-20-letters"])
def test_monitoring_failure_fits_one_part(environment: str) -> None:
    text = sms_of_failure(environment)
    assert len(text.encode()) <= sms.PART
    assert set(text) <= sms.GSM
