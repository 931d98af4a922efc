"""Notices: for every event of the trail it is decided whether its owner gets a letter, which, or why none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sekisho
from sekisho.audit import VOCABULARY, Event
from sekisho.model import EndReason
from sekisho.outbox import REQUIRED_VALUES, MailKind

# One or more letters, or in words why the owner gets none.
TOLD: dict[Event, tuple[MailKind, ...] | str] = {
    Event.SIGN_UP_CODE_SENT: (MailKind.SIGN_UP_CODE, MailKind.SIGN_UP_EXISTING),
    Event.SIGN_UP_CODE_RESENT: (MailKind.SIGN_UP_CODE, MailKind.SIGN_UP_EXISTING),
    Event.SIGN_UP: "the owner is there, with a code that came by mail",
    Event.LOGIN: "usual sign-ins are everyday, and refused ones are told with the success after them",
    Event.SIGN_IN_UNUSUAL: (MailKind.SIGN_IN_UNUSUAL,),
    Event.SESSION_UNUSUAL: (MailKind.SESSION_UNUSUAL,),
    Event.ATTACK_SEEN: "of no account; the operator is alerted",
    Event.SECOND_FACTOR_ASKED: "half a sign-in; told if it is unusual or guessed at",
    Event.SECOND_FACTOR: (MailKind.FACTOR_GUESSED,),
    Event.FACTOR_CODE_SENT: (MailKind.FACTOR_CODE,),
    Event.STEP_UP: "the owner is there",
    Event.FACTOR_ADDED: (MailKind.FACTOR_ADDED,),
    Event.FACTOR_RENAMED: "a label; opens and closes nothing",
    Event.FACTOR_REMOVED: (MailKind.FACTOR_REMOVED,),
    Event.FACTOR_SUSPENDED: "stands beside the change that is told, and the sign-in says it",
    Event.FACTOR_REACTIVATED: "the owner has just passed the second step",
    Event.FACTORS_RESET: (MailKind.FACTORS_RESET,),
    Event.RECOVERY_CODES_MADE: (MailKind.RECOVERY_CODES_MADE,),
    Event.RECOVERY_CODE_USED: (MailKind.RECOVERY_CODE_USED,),
    Event.DEVICE_TRUSTED: (MailKind.DEVICE_TRUSTED,),
    Event.TRUSTED_DEVICE_USED: "told when the trust was given; an unusual use is told as a sign-in",
    Event.DEVICE_FORGOTTEN: "takes trust away",
    Event.SESSION_ENDED: (MailKind.SESSION_REPLAYED, MailKind.CLIENT_ID_MISMATCH, MailKind.SESSION_UNUSUAL),
    Event.STORE_BEHIND: "a matter of the server",
    Event.PROFILE_CHANGED: "no credential",
    Event.WITHDRAWAL: (MailKind.ACCOUNT_WITHDRAWN,),
    Event.PASSWORD_RESET_CODE_SENT: (
        MailKind.PASSWORD_RESET_CODE,
        MailKind.PASSWORD_RESET_CODE_RECOVERY,
        MailKind.PASSWORD_RESET_NO_ACCOUNT,
    ),
    Event.PASSWORD_RESET_CODE: "told when the password changes by it",
    Event.PASSWORD_RESET: (MailKind.PASSWORD_CHANGED, MailKind.PASSWORD_CHANGED_RECOVERY),
    Event.NOT_ME: (MailKind.NOT_ME,),
    Event.PASSWORD_CHANGE: (MailKind.PASSWORD_CHANGED,),
    Event.EMAIL_CHANGE_CODE_SENT: (MailKind.EMAIL_CHANGE_CODE, MailKind.EMAIL_CHANGE_TAKEN),
    Event.EMAIL_CHANGE: (
        MailKind.EMAIL_CHANGED,
        MailKind.EMAIL_CHANGED_FORMER,
        MailKind.EMAIL_CHANGED_RECOVERY,
    ),
    Event.EMAIL_RESET: (
        MailKind.EMAIL_RESET,
        MailKind.EMAIL_RESET_FORMER,
        MailKind.EMAIL_RESET_RECOVERY,
    ),
    Event.RECOVERY_EMAIL_CODE_SENT: (MailKind.RECOVERY_EMAIL_CODE,),
    Event.RECOVERY_EMAIL_SET: (
        MailKind.RECOVERY_EMAIL_SET,
        MailKind.RECOVERY_EMAIL_HERE,
        MailKind.RECOVERY_EMAIL_GONE,
    ),
    Event.RECOVERY_EMAIL_REMOVED: (
        MailKind.RECOVERY_EMAIL_REMOVED,
        MailKind.RECOVERY_EMAIL_RESET,
        MailKind.RECOVERY_EMAIL_GONE,
    ),
    Event.ACCOUNT_ADDED: "the operator tells the new owner",
    Event.ACCOUNT_DISABLED: (MailKind.ACCOUNT_DISABLED,),
    Event.ACCOUNT_ENABLED: (MailKind.ACCOUNT_ENABLED,),
    Event.ROLES_CHANGED: "a right of the operator's, no credential",
    Event.PASSWORD_CHANGE_FORCED: (MailKind.PASSWORD_CHANGE_FORCED,),
    Event.ACCOUNT_UNLOCKED: "clears a count; the owner asked for it",
    Event.SIGNING_KEYS_ROTATED: "of no account",
    Event.MASTER_SECRET_REPLACED: "of no account",
    Event.SIGNING_KEY_RETIRED: "of no account",
    Event.SIGNING_KEY_COMPROMISED: "of no account; the operator is alerted",
    Event.DATABASE_RESTORED: "of no account; the operator is alerted",
    Event.GUARD_KEY_ADDED: "of no account; the operator is alerted",
    Event.GUARD_KEY_REMOVED: "of no account",
    Event.TOKEN_REVOKED: "a token, not the session; minutes of life were left",
}

# A person can only act on these by calling somebody, or has asked for them just now.
WITHOUT_A_WAY_OUT = {
    MailKind.SIGN_UP_CODE: "nothing is there yet",
    MailKind.SIGN_UP_EXISTING: "nothing has changed",
    MailKind.ACCOUNT_WITHDRAWN: "nothing is left to end",
    MailKind.PASSWORD_RESET_CODE: "is a code itself",
    MailKind.PASSWORD_RESET_NO_ACCOUNT: "has no account",
    MailKind.FACTOR_CODE: "is a code itself",
    MailKind.PASSWORD_CHANGE_FORCED: "everything was ended by the operator",
    MailKind.EMAIL_CHANGE_CODE: "is a code itself",
    MailKind.EMAIL_CHANGE_TAKEN: "goes to somebody else",
    MailKind.EMAIL_CHANGED: "goes to who has just typed a code from that mailbox; the former address gets the warning",
    MailKind.EMAIL_CHANGED_RECOVERY: "a password reset ends all of it, and keeps the recovery address",
    MailKind.EMAIL_RESET: "everything was ended by the operator",
    MailKind.EMAIL_RESET_FORMER: "the mailbox may be a thief's, who must not end anything",
    MailKind.EMAIL_RESET_RECOVERY: "everything was ended by the operator",
    MailKind.RECOVERY_EMAIL_CODE: "is a code itself",
    MailKind.RECOVERY_EMAIL_RESET: "an operator did it",
    MailKind.RECOVERY_EMAIL_HERE: "the mailbox may be somebody else's, who must not end anything",
    MailKind.RECOVERY_EMAIL_GONE: "the mailbox may be somebody else's, who must not end anything",
    MailKind.PASSWORD_RESET_CODE_RECOVERY: "is a code itself",
    MailKind.PASSWORD_CHANGED_RECOVERY: "a new reset ends all of it, and keeps the recovery address",
    MailKind.FACTORS_RESET: "everything was ended by the operator",
    MailKind.NOT_ME: "everything has been ended by it",
    MailKind.ACCOUNT_DISABLED: "everything was ended by the operator",
    MailKind.ACCOUNT_ENABLED: "nothing is signed in",
}

SOURCE = Path(sekisho.__file__).parent


def test_V6_3_7_every_event_of_the_trail_is_told_or_has_a_reason_why_not() -> None:
    assert set(TOLD) == set(Event) == set(VOCABULARY), "decide for the new event whether its owner gets a letter"


def test_every_letter_belongs_to_an_event() -> None:
    told = {kind for kinds in TOLD.values() if not isinstance(kinds, str) for kind in kinds}
    assert told == set(MailKind)


@pytest.mark.parametrize("kind", MailKind)
def test_every_letter_is_sent_by_some_flow(kind: MailKind) -> None:
    used = re.compile(rf"MailKind\.{kind.name}\b")
    senders = [
        path for path in SOURCE.rglob("*.py") if path.name != "outbox.py" and used.search(path.read_text("utf-8"))
    ]
    assert senders


@pytest.mark.parametrize("kind", MailKind)
def test_V6_3_7_every_warning_has_a_way_to_end_everything_and_says_what_when_where(kind: MailKind) -> None:
    values = REQUIRED_VALUES[kind]
    assert ("not_me_code" in values) is (kind not in WITHOUT_A_WAY_OUT)
    if "not_me_code" in values:
        assert values >= {"at", "device", "place", "ip"}


def test_sessions_that_end_for_safety_are_told() -> None:
    """The other ends are the owner's own doing, told with what caused them, or time."""
    sessions, moves = ((SOURCE / path).read_text("utf-8") for path in ("sessions.py", "anomalies/moves.py"))
    for reason in (EndReason.REPLAY, EndReason.CLIENT_ID_MISMATCH):
        assert f"EndReason.{reason.name}" in sessions
    assert "EndReason.MOVED_UNUSUALLY" in moves
