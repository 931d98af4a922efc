"""Values for tests of the store. `NOW` is a fixed moment; nothing here reads a clock."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from sekisho.model import (
    Account,
    AccountId,
    EndReason,
    JournalEntry,
    Origin,
    PendingSignUp,
    Session,
    SessionId,
    Transport,
)
from sekisho.ports.changes import (
    AddAccount,
    AddPendingSignUp,
    Change,
    EndSession,
    OneTimeCode,
    RotateSession,
    StartSession,
)
from sekisho.ports.storage import Store

NOW = 1_800_000_000_000
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
JOURNAL_UNTIL = NOW + 15 * MINUTE
FROM = Origin(ip="203.0.113.7", user_agent="Browser 1")
PURPOSE = "sign_up"


def new_id() -> str:
    return secrets.token_urlsafe(16)


def account(**given: Any) -> Account:
    key = f"{new_id()}@example.org"
    return Account(**{"id": AccountId(new_id()), "email": key, "email_key": key, "created_at": NOW, **given})


def session(owner: Account, **given: Any) -> Session:
    values: dict[str, Any] = {
        "id": SessionId(new_id()),
        "account_id": owner.id,
        "client_id": "web:one",
        "transport": Transport.BODY,
        "secret_hash": secrets.token_bytes(32),
        "auth_time_at": NOW,
        "amr": ("pwd",),
        "ip": FROM.ip,
        "user_agent": FROM.user_agent,
        "created_at": NOW,
        "last_seen_at": NOW,
        "rotated_at": NOW,
        "idle_expires_at": NOW + 30 * DAY,
        "expires_at": NOW + 90 * DAY,
    }
    return Session(**{**values, **given})


def start(wanted: Session, **given: Any) -> StartSession:
    values: dict[str, Any] = {
        "security_version": 1,
        "max_sessions": 5,
        "journal_until_at": JOURNAL_UNTIL,
        "origin": FROM,
        "now": NOW,
    }
    return StartSession(session=wanted, **{**values, **given})


def end(wanted: Session, **given: Any) -> EndSession:
    return EndSession(
        **{
            "session_id": wanted.id,
            "reason": EndReason.LOGOUT,
            "now": NOW,
            "journal_until_at": JOURNAL_UNTIL,
            "origin": FROM,
            **given,
        }
    )


def rotate(of: Session, counter: int = 0, **given: Any) -> RotateSession:
    values: dict[str, Any] = {
        "session_id": of.id,
        "secret_hash": of.secret_hash,
        "counter": counter,
        "client_id": of.client_id,
        "now": NOW + MINUTE,
        "grace_ms": MINUTE,
        "idle_ms": 30 * DAY,
        "aal2_idle_ms": 20 * DAY,
        "ip": "198.51.100.4",
    }
    return RotateSession(**{**values, **given})


def sign_up(**given: Any) -> AddPendingSignUp:
    values: dict[str, Any] = {
        "id": new_id(),
        "email": "hanako@example.org",
        "email_key": "hanako@example.org",
        "client_id": "web:one",
        "locale": "ja",
        "password_hash": "$hash",
        "created_at": NOW,
        "expires_at": NOW + 15 * MINUTE,
    }
    pending = PendingSignUp(**{**values, **given})
    code = OneTimeCode(id=pending.id, purpose=PURPOSE, code_hash=secrets.token_bytes(32), expires_at=pending.expires_at)
    return AddPendingSignUp(pending=pending, code=code)


def unnumbered(entries: Iterable[JournalEntry]) -> tuple[JournalEntry, ...]:
    """Without their numbers, which an engine may give after the commit."""
    return tuple(replace(entry, seq=0) for entry in entries)


async def done(store: Store, *wanted: Change) -> tuple[Any, ...]:
    """Apply and return the results; the call must not lose."""
    outcome = await store.apply(*wanted)
    assert outcome.lost is None, outcome.lost
    return outcome.results


async def lost(store: Store, *wanted: Change) -> str:
    """Apply and return why the call lost; it must lose."""
    outcome = await store.apply(*wanted)
    assert outcome.lost is not None
    assert outcome.results == ()
    return outcome.lost.why


async def signed_in(store: Store, **given: Any) -> tuple[Account, Session]:
    owner = account()
    first = session(owner, **given)
    await done(store, AddAccount(account=owner), start(first))
    return owner, first
