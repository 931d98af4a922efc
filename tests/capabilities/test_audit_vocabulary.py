"""The audit trail's closed vocabulary. Names carry the rows of the security checklist."""

from __future__ import annotations

import pytest

from sekisho.audit import VOCABULARY, Event, record
from sekisho.model import EndReason, Origin

ORIGIN = Origin(ip="192.0.2.1", user_agent="curl/8")


def test_V16_1_1_every_event_is_in_the_table_with_a_line_in_both_languages() -> None:
    assert set(VOCABULARY) == set(Event)
    for entry in VOCABULARY.values():
        assert entry.en.endswith(".")
        assert entry.ja.endswith("。")
        assert entry.reasons


def test_ends_of_sessions_have_the_reasons_that_the_store_writes() -> None:
    for reason in EndReason:
        line = record(Event.SESSION_ENDED, "success", at=1, origin=ORIGIN, reason=reason, session_id="s")
        assert (line.event, line.reason) == ("session_ended", reason.value)
    assert VOCABULARY[Event.SESSION_ENDED].reasons == {"success": tuple(EndReason)}


def test_a_record_carries_what_was_given() -> None:
    line = record(
        Event.LOGIN,
        "failure",
        at=5,
        origin=ORIGIN,
        account_id="acc",
        client_id="web",
        method="pwd",
        reason="wrong_password",
        identifier_tag="tag",
        place="Osaka, Japan",
        device="curl",
    )
    assert (line.event, line.outcome, line.at, line.reason, line.actor) == (
        "login",
        "failure",
        5,
        "wrong_password",
        "account",
    )
    assert (line.account_id, line.client_id, line.method, line.identifier_tag) == ("acc", "web", "pwd", "tag")
    assert (line.ip, line.user_agent, line.place, line.device) == ("192.0.2.1", "curl/8", "Osaka, Japan", "curl")


def test_keys_rotate_by_command_or_on_schedule() -> None:
    for reason, actor in (("", "operator"), ("schedule", "system")):
        line = record(Event.SIGNING_KEYS_ROTATED, "success", at=1, origin=Origin(), reason=reason, actor=actor)
        assert (line.reason, line.actor) == (reason, actor)


@pytest.mark.parametrize(
    "reason", ["unknown_account", "wrong_password", "account_disabled", "no_password", "changed_meanwhile"]
)
def test_a_refused_login_has_a_reason_of_the_table(reason: str) -> None:
    assert record(Event.LOGIN, "failure", at=1, origin=ORIGIN, reason=reason).reason == reason


@pytest.mark.parametrize(
    ("event", "outcome", "more"),
    [
        ("logged_in", "success", {}),
        ("login", "maybe", {}),
        ("login", "failure", {}),
        ("login", "failure", {"reason": "bad_luck"}),
        ("login", "success", {"reason": "wrong_password"}),
        ("login", "success", {"method": "magic"}),
        ("login", "success", {"method": "pwd magic"}),
        ("login", "success", {"actor": "robot"}),
        ("session_ended", "success", {}),
        ("roles_changed", "success", {"session_id": "s"}),
        ("sign_up_code_sent", "success", {"account_id": "a"}),
        ("signing_keys_rotated", "failure", {}),
    ],
)
def test_V16_1_1_what_is_not_in_the_table_is_a_mistake(event: str, outcome: str, more: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=event):
        record(event, outcome, at=1, origin=ORIGIN, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("mark", ["\r", "\n", "\x1b", "\0", "\x85", "\u2028", "\u2029", "\u202e", "\x7f"])
def test_V16_4_1_no_text_can_forge_a_line_or_steer_a_terminal(mark: str) -> None:
    forged = f"curl{mark}login success"
    line = record(
        Event.LOGIN,
        "success",
        at=1,
        origin=Origin(ip=forged, user_agent=forged),
        client_id=forged,
        place=forged,
        device=forged,
    )
    for text in (line.ip, line.user_agent, line.client_id, line.place, line.device):
        assert text == "curllogin success"


def test_texts_are_bounded() -> None:
    line = record(Event.LOGIN, "success", at=1, origin=Origin(user_agent="x" * 10_000))
    assert len(line.user_agent) == 512
