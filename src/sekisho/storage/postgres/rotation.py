"""Rotation in one statement and one round trip.

The row is locked and returned as it was; the update in the same statement is guarded by the whole table of verdicts.
`classify` then names the verdict from the row. The table thus stands twice here, and the two must agree each time:
`RotationDisagrees` says that they do not.
"""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from msgspec.structs import replace

from sekisho.model import AAL2
from sekisho.ports import changes
from sekisho.ports.storage import Ended, Rotated
from sekisho.storage.changes.records import SYSTEM
from sekisho.storage.changes.rotation import app_of, classify, idle_until_at
from sekisho.storage.rows import ACCOUNT, SESSION, SESSION_WIDTH, account_from, columns, session_from
from sekisho.storage.steps import Step, Steps

# Both tables have these columns; in the row that was seen each needs a name of its own.
_ACCOUNT_COLUMNS = ", ".join(f"accounts.{name} AS account_{name}" for name in ACCOUNT.split())
_SEEN = ", ".join(
    [f"seen.{name}" for name in SESSION.split()] + [f"seen.account_{name}" for name in ACCOUNT.split()]
).replace("seen.account_id, seen.client_id", "seen.owner_id, seen.client_id", 1)
_SESSION_COLUMNS = columns(SESSION, "sessions").replace("sessions.account_id", "sessions.account_id AS owner_id", 1)

ROTATE = f"""
WITH seen AS MATERIALIZED (
    SELECT {_SESSION_COLUMNS}, {_ACCOUNT_COLUMNS}
    FROM sessions JOIN accounts ON accounts.id = sessions.account_id
    WHERE sessions.id = :id
    FOR UPDATE OF sessions
), moved AS (
    UPDATE sessions
    SET counter = :next_counter, last_seen_at = :now, rotated_at = :now, ip = :ip,
        idle_expires_at = LEAST(
            CASE seen.acr WHEN '{AAL2}' THEN CAST(:raised_idle_until_at AS BIGINT) ELSE :idle_until_at END,
            seen.expires_at
        )
    FROM seen
    WHERE sessions.id = seen.id
        AND seen.ended_at IS NULL AND seen.account_status = 'active'
        AND seen.expires_at > :now AND seen.idle_expires_at > :now
        AND seen.secret_hash = :secret_hash
        AND (seen.client_id = :client_id
            OR (seen.transport <> 'body' AND split_part(seen.client_id, ':', 1) = :app))
        AND seen.counter <= :counter
    RETURNING 1
), told AS (
    INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor, identifier_tag,
                       subject, ip, user_agent, place, device)
    SELECT 'store_behind', 'success', :now, seen.owner_id, seen.id, seen.client_id, '', '', '{SYSTEM}', '',
           '', :ip, :user_agent, '', ''
    FROM seen WHERE seen.counter < :counter AND EXISTS (SELECT 1 FROM moved)
)
SELECT {_SEEN}, EXISTS (SELECT 1 FROM moved) FROM seen
"""


class RotationDisagrees(RuntimeError):
    """The statement and `classify` judged one row differently: a mistake of ours, never a client's."""


def rotate_session(change: changes.RotateSession) -> Steps:
    found = yield Step(
        ROTATE,
        {
            "id": change.session_id,
            "secret_hash": change.secret_hash,
            "counter": change.counter,
            "next_counter": change.counter + 1,
            "client_id": change.client_id,
            "app": app_of(change.client_id),
            "now": change.now,
            "idle_until_at": change.now + change.idle_ms,
            "raised_idle_until_at": change.now + change.aal2_idle_ms,
            "ip": change.ip,
            "user_agent": change.user_agent,
        },
    )
    if not found:
        return Ended("unknown session")
    row = found[0]
    session, account, has_moved = session_from(row), account_from(row, SESSION_WIDTH), row[-1]
    verdict = classify(session, account, change)
    if has_moved is not (verdict is None):
        raise RotationDisagrees(f"the statement {'moved' if has_moved else 'left'} a row judged {verdict!r}")
    if verdict is not None:
        return verdict
    after = replace(
        session,
        counter=change.counter + 1,
        last_seen_at=change.now,
        rotated_at=change.now,
        idle_expires_at=min(idle_until_at(change, session.acr), session.expires_at),
        ip=change.ip,
    )
    return Rotated(after, account, session.counter < change.counter, session.ip, session.last_seen_at)
