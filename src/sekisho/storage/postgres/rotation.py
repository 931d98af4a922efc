"""Rotation in one statement and one round trip, for one session or for several that leave together.

The rows are locked and returned as they were; the update in the same statement is guarded by the whole table of
verdicts. `classify` then names the verdict from the row. The table thus stands twice here, and the two must agree each
time: `RotationDisagrees` says that they do not.
"""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
from msgspec.structs import replace

from sekisho.model import AAL2, SessionId
from sekisho.ports import changes
from sekisho.ports.storage import Ended, Rotated, Rotation
from sekisho.storage.changes.records import SYSTEM
from sekisho.storage.changes.rotation import classify, idle_until_at
from sekisho.storage.postgres.texts import with_values
from sekisho.storage.rows import ACCOUNT, SESSION, SESSION_WIDTH, account_from, columns, session_from
from sekisho.storage.steps import Row, Step, Steps

# Both tables have these columns; in the row that was seen each needs a name of its own.
_ACCOUNT_COLUMNS = ", ".join(f"accounts.{name} AS account_{name}" for name in ACCOUNT.split())
_SEEN = ", ".join(
    [f"seen.{name}" for name in SESSION.split()] + [f"seen.account_{name}" for name in ACCOUNT.split()]
).replace("seen.account_id, seen.client_id", "seen.owner_id, seen.client_id", 1)
_SESSION_COLUMNS = columns(SESSION, "sessions").replace("sessions.account_id", "sessions.account_id AS owner_id", 1)

# What a rotation presents, and how it is read: the statement takes a list of texts for each. The driver knows lists of
# texts by itself; for others it would ask the server on each new connection.
_PRESENTED = {
    "id": "{}",
    "secret_hash": "decode({}, 'hex')",
    "counter": "CAST({} AS BIGINT)",
    "client_id": "{}",
    "now": "CAST({} AS BIGINT)",
    "idle_until_at": "CAST({} AS BIGINT)",
    "raised_idle_until_at": "CAST({} AS BIGINT)",
    "ip": "{}",
    "user_agent": "{}",
}
_GIVEN = ", ".join(f"CAST(:{name} AS TEXT[]) AS {name}" for name in _PRESENTED)
_LISTS = ", ".join(f"given.{name}" for name in _PRESENTED)
_TOLD = ", ".join(_PRESENTED)
_NEW = ", ".join(f"{read.format(f'presented.{name}')} AS new_{name}" for name, read in _PRESENTED.items())

# OFFSET 0 keeps the length of the lists from the planner: knowing it, it would plan each call anew, which takes longer
# than all the rest.
ROTATE = f"""
WITH seen AS MATERIALIZED (
    SELECT {_SESSION_COLUMNS}, {_ACCOUNT_COLUMNS}, {_NEW}
    FROM (SELECT {_GIVEN} OFFSET 0) AS given
        CROSS JOIN unnest({_LISTS}) AS presented ({_TOLD})
        JOIN sessions ON sessions.id = presented.id
        JOIN accounts ON accounts.id = sessions.account_id
    FOR UPDATE OF sessions
), moved AS (
    UPDATE sessions
    SET counter = seen.new_counter + 1, last_seen_at = seen.new_now, rotated_at = seen.new_now, ip = seen.new_ip,
        idle_expires_at = LEAST(
            CASE seen.acr WHEN '{AAL2}' THEN seen.new_raised_idle_until_at ELSE seen.new_idle_until_at END,
            seen.expires_at
        )
    FROM seen
    WHERE sessions.id = seen.id
        AND seen.ended_at IS NULL AND seen.account_status = 'active'
        AND seen.expires_at > seen.new_now AND seen.idle_expires_at > seen.new_now
        AND seen.secret_hash = seen.new_secret_hash
        AND (seen.client_id = seen.new_client_id
            OR (seen.transport <> 'body'
                AND split_part(seen.client_id, ':', 1) = split_part(seen.new_client_id, ':', 1)))
        AND seen.counter <= seen.new_counter
    RETURNING sessions.id
), told AS (
    INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor, identifier_tag,
                       subject, ip, user_agent, place, device)
    SELECT 'store_behind', 'success', seen.new_now, seen.owner_id, seen.id, seen.client_id, '', '', '{SYSTEM}', '',
           '', seen.new_ip, seen.new_user_agent, '', ''
    FROM seen JOIN moved ON moved.id = seen.id WHERE seen.counter < seen.new_counter
)
SELECT {_SEEN}, moved.id IS NOT NULL FROM seen LEFT JOIN moved ON moved.id = seen.id
"""

# Where several leave together none waits for a row: it would hold up the others, whose rows it had locked.
ROTATE_FREE = ROTATE.replace("FOR UPDATE OF sessions", "FOR UPDATE OF sessions SKIP LOCKED")


class RotationDisagrees(RuntimeError):
    """The statement and `classify` judged one row differently: a mistake of ours, never a client's."""


def rotate_session(change: changes.RotateSession) -> Steps:
    found = yield Step(ROTATE, _values([change]))
    return verdict_of(change, found[0] if found else None)


async def rotate_together(
    connection: asyncpg.Connection, together: Sequence[changes.RotateSession]
) -> Mapping[SessionId, Row]:
    """Rotate sessions, each another one, and commit. Returns their rows as they were, for `verdict_of`.

    Of several, those are left out whose row somebody holds; one alone waits for it.
    """
    text, values = with_values(ROTATE if len(together) == 1 else ROTATE_FREE, _values(together))
    return {row[0]: row for row in await connection.fetch(text, *values)}


def _values(together: Sequence[changes.RotateSession]) -> Mapping[str, list[str]]:
    return {
        "id": [str(one.session_id) for one in together],
        "secret_hash": [one.secret_hash.hex() for one in together],
        "counter": [str(one.counter) for one in together],
        "client_id": [one.client_id for one in together],
        "now": [str(one.now) for one in together],
        "idle_until_at": [str(one.now + one.idle_ms) for one in together],
        "raised_idle_until_at": [str(one.now + one.aal2_idle_ms) for one in together],
        "ip": [one.ip for one in together],
        "user_agent": [one.user_agent for one in together],
    }


def verdict_of(change: changes.RotateSession, row: Row | None) -> Rotation:
    """Name the verdict from the row as it was, None if there is no such session.

    Raises:
        RotationDisagrees: see there.
    """
    if row is None:
        return Ended("unknown session")
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
