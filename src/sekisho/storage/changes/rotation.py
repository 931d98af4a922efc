"""Rotation: a read gives the verdict, and one conditional statement makes it true.

The table of verdicts (ended -> secret -> client -> counter) stands here once, in `classify`. The statement is guarded
by the counter that the verdict was given on, so that of any number of callers one rotates; the others look again.
Measured on SQLite, one statement that decides and returns everything is no faster, and would repeat the table in SQL.
"""

from __future__ import annotations

import hmac

from msgspec.structs import replace

from sekisho.model import AAL2, Account, AccountStatus, AuditRecord, Millis, Session, Transport
from sekisho.ports import changes
from sekisho.ports.clock import CLOCK_SKEW_MS
from sekisho.ports.storage import Ended, Repeated, Replayed, Rotated, Rotation, StoreUnavailable, WrongClient
from sekisho.storage.changes.records import SYSTEM, audit_step
from sekisho.storage.queries import FIND_SESSION_AND_ACCOUNT
from sekisho.storage.rows import SESSION_WIDTH, account_from, session_from
from sekisho.storage.steps import Step, Steps

# The row can change between read and statement only where others write at the same time (PostgreSQL), and each time
# it does somebody else has got a verdict.
MOST_ROUNDS = 5

ROTATE = """
UPDATE sessions
SET counter = :next_counter, last_seen_at = :now, rotated_at = :now, ip = :ip, idle_expires_at = :idle_expires_at
WHERE id = :id AND counter = :seen_counter AND ended_at IS NULL
RETURNING 1
"""


def app_of(client_id: str) -> str:
    """Return the app part of a `client_id`."""
    return client_id.partition(":")[0]


def idle_until_at(change: changes.RotateSession | changes.TouchSession, acr: str) -> Millis:
    """Return until when a session of this level may rest after the use, its absolute end aside."""
    return change.now + (change.aal2_idle_ms if acr == AAL2 else change.idle_ms)


def rotate_session(change: changes.RotateSession) -> Steps:
    for _ in range(MOST_ROUNDS):
        found = yield Step(FIND_SESSION_AND_ACCOUNT, {"id": change.session_id})
        if not found:
            return Ended("unknown session")
        session, account = session_from(found[0]), account_from(found[0], SESSION_WIDTH)
        verdict = classify(session, account, change)
        if verdict is not None:
            return verdict

        idle_expires_at = min(idle_until_at(change, session.acr), session.expires_at)
        moved = yield Step(
            ROTATE,
            {
                "id": change.session_id,
                "seen_counter": session.counter,
                "next_counter": change.counter + 1,
                "now": change.now,
                "idle_expires_at": idle_expires_at,
                "ip": change.ip,
            },
        )
        if moved:
            after = replace(
                session,
                counter=change.counter + 1,
                last_seen_at=change.now,
                rotated_at=change.now,
                idle_expires_at=idle_expires_at,
                ip=change.ip,
            )
            was_behind = session.counter < change.counter
            if was_behind:
                yield _store_behind(after, change)
            return Rotated(after, account, was_behind, session.ip, session.last_seen_at)
    raise StoreUnavailable("the session kept changing while its token was judged")


def _store_behind(session: Session, change: changes.RotateSession) -> Step:
    """What tells the operator that the store lost a commit stands or falls with the rotation that found it out."""
    return audit_step(
        AuditRecord(
            event="store_behind",
            outcome="success",
            at=change.now,
            account_id=session.account_id,
            session_id=session.id,
            client_id=session.client_id,
            actor=SYSTEM,
            ip=change.ip,
            user_agent=change.user_agent,
        )
    )


def classify(session: Session, account: Account, change: changes.RotateSession) -> Rotation | None:
    """Say why a token does not rotate this row; None if it does.

    The order matters: a token that is not this row's must not end the row's session, whatever else is wrong with it.
    """
    dead = why_dead(session, account, change.now)
    if dead:
        return Ended(dead)
    if not hmac.compare_digest(session.secret_hash, change.secret_hash):
        return Ended("not this session's secret")
    wrong = _wrong_client(session, change.client_id)
    if wrong:
        return WrongClient(session, account, wrong)
    if change.counter >= session.counter:
        return None

    since = change.now - session.rotated_at
    if change.counter == session.counter - 1 and change.grace_ms > 0 and since <= change.grace_ms:
        # A rotation further ahead than nodes differ says nothing about the grace window, which a clock that stepped
        # back would hold open for as long as the step; nor does it prove a theft, so nothing ends.
        if since < -CLOCK_SKEW_MS:
            return Ended(f"rotated {-since} ms ahead of the clock")
        return Repeated(session, account)
    return Replayed(session, account, f"counter {change.counter}, live {session.counter}, {since} ms after rotation")


def why_dead(session: Session, account: Account, now: int) -> str:
    """Say why no token of this row is any good, whatever it is; "" if it lives."""
    if session.ended_at is not None:
        return f"session ended: {session.end_reason}"
    if account.status is not AccountStatus.ACTIVE:
        return f"account {account.status.value}"
    if session.expires_at <= now:
        return "absolute lifetime over"
    if session.idle_expires_at <= now:
        return "idle lifetime over"
    return ""


def _wrong_client(session: Session, client_id: str) -> str:
    if session.client_id == client_id:
        return ""
    if app_of(session.client_id) != app_of(client_id):
        return "another app"
    if session.transport is Transport.BODY:
        return "another device of the app"
    return ""
