"""Rotation: one conditional statement decides. Only when it changes nothing, a read tells why.

The statement's conditions and `classify` are the same table (ended -> secret -> client -> counter), once as SQL and
once as Python; the contract suite holds the two together.
"""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

import hmac

from sekisho.model import Account, AccountStatus, Session, Transport
from sekisho.ports import changes
from sekisho.ports.storage import Ended, Repeated, Replayed, Rotated, Rotation, StoreUnavailable, WrongClient
from sekisho.storage.rows import ACCOUNT, SESSION, SESSION_WIDTH, account_from, columns, session_from
from sekisho.storage.steps import Step, Steps

# The row may change between the statement and the read, where others write at the same time (PostgreSQL).
MOST_ROUNDS = 5

ROTATE = f"""
UPDATE sessions
SET prior_counter = counter, counter = :next_counter, last_seen_at = :now, rotated_at = :now, ip = :ip,
    idle_expires_at = CASE WHEN :idle_until_at < expires_at THEN :idle_until_at ELSE expires_at END
WHERE id = :id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
    AND secret_hash = :secret_hash AND counter <= :counter
    AND (client_id = :client_id OR (transport <> 'body' AND substr(client_id || ':', 1, :app_length) = :app))
    AND EXISTS (SELECT 1 FROM accounts WHERE accounts.id = sessions.account_id AND accounts.status = 'active')
RETURNING {columns(SESSION)}, prior_counter
"""

FIND_ACCOUNT = f"SELECT {columns(ACCOUNT)} FROM accounts WHERE id = :id"

FIND_BOTH = f"""
SELECT {columns(SESSION, "sessions")}, {columns(ACCOUNT, "accounts")}
FROM sessions JOIN accounts ON accounts.id = sessions.account_id
WHERE sessions.id = :id
"""


def app_of(client_id: str) -> str:
    """Return the app part of a `client_id`."""
    return client_id.partition(":")[0]


def rotate_session(change: changes.RotateSession) -> Steps:
    app = app_of(change.client_id) + ":"
    rotate = Step(
        ROTATE,
        {
            "id": change.session_id,
            "secret_hash": change.secret_hash,
            "counter": change.counter,
            "next_counter": change.counter + 1,
            "client_id": change.client_id,
            "app": app,
            "app_length": len(app),
            "now": change.now,
            "idle_until_at": change.now + change.idle_ms,
            "ip": change.ip,
        },
    )
    for _ in range(MOST_ROUNDS):
        rows = yield rotate
        if rows:
            row = rows[0]
            found = yield Step(FIND_ACCOUNT, {"id": row[1]})
            return Rotated(session_from(row), account_from(found[0]), was_behind=row[SESSION_WIDTH] < change.counter)
        found = yield Step(FIND_BOTH, {"id": change.session_id})
        if not found:
            return Ended("unknown session")
        verdict = classify(session_from(found[0]), account_from(found[0], SESSION_WIDTH), change)
        if verdict is not None:
            return verdict
    raise StoreUnavailable("the session kept changing while its token was judged")


def classify(session: Session, account: Account, change: changes.RotateSession) -> Rotation | None:
    """Say why a token does not rotate this row; None if it would rotate it now.

    The order matters: a token that is not this row's must not end the row's session, whatever else is wrong with it.
    """
    dead = _why_dead(session, account, change.now)
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
        return Repeated(session, account)
    return Replayed(session, account, f"counter {change.counter}, live {session.counter}, {since} ms after rotation")


def _why_dead(session: Session, account: Account, now: int) -> str:
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
    if app_of(session.client_id) != app_of(client_id):
        return "another app"
    if session.transport is Transport.BODY and session.client_id != client_id:
        return "another device of the app"
    return ""
