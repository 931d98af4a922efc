"""How sessions end. Every end, whatever its reason, passes `record_end`: one audit record and one journal entry.

Changes that end sessions for safety take every row that has not ended, also one whose time seems to be over: a
clock that was ahead for a moment must not leave a session behind that lives again afterwards. `must_be_live` is for
a caller that has just seen the session alive by the same `now`, and must know whether this call is what ended it.
"""

from __future__ import annotations

from sekisho.model import AuditRecord, EndReason, JournalEntry, Millis, Origin
from sekisho.ports import changes
from sekisho.storage.changes.locks import LOCK_ACCOUNT_ROW
from sekisho.storage.changes.records import SYSTEM, audit_step, journal_steps
from sekisho.storage.steps import Losing, Row, Step, Steps, Telling, Value

END_ONE = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE id = :id AND ended_at IS NULL
RETURNING id, account_id, client_id
"""

END_ONE_OF_ACCOUNT = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE id = :id AND account_id = :account_id AND ended_at IS NULL
RETURNING id, account_id, client_id
"""

END_LIVE_ONE = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE id = :id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
RETURNING id, account_id, client_id
"""

END_LIVE_ONE_OF_ACCOUNT = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE id = :id AND account_id = :account_id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
RETURNING id, account_id, client_id
"""

END_ALL = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE account_id = :account_id AND ended_at IS NULL AND id <> :except_id
RETURNING id, account_id, client_id
"""

# Sessions that were used since they were put into the sweep's index: look at them again when they can be idle.
POSTPONE = """
UPDATE sessions SET sweep_at = idle_expires_at
WHERE id IN (
    SELECT id FROM sessions
    WHERE ended_at IS NULL AND sweep_at <= :now AND idle_expires_at > :now
    ORDER BY sweep_at LIMIT :limit
)
"""

END_EXPIRED = """
UPDATE sessions SET ended_at = :now, end_reason = :reason
WHERE ended_at IS NULL AND idle_expires_at <= :now AND id IN (
    SELECT id FROM sessions
    WHERE ended_at IS NULL AND sweep_at <= :now AND idle_expires_at <= :now
    ORDER BY sweep_at LIMIT :limit
)
RETURNING id, account_id, client_id
"""


def record_end(
    row: Row,
    reason: EndReason,
    now: Millis,
    origin: Origin,
    actor: str,
    journal_until_at: Millis,
) -> Steps:
    """Write what must stand beside an end; `row` is (id, account_id, client_id). Returns the journal entries."""
    session_id, account_id, client_id = row
    yield audit_step(
        AuditRecord(
            event="session_ended",
            outcome="success",
            at=now,
            account_id=account_id,
            session_id=session_id,
            client_id=client_id,
            reason=reason.value,
            actor=actor,
            ip=origin.ip,
            user_agent=origin.user_agent,
        )
    )
    entry: JournalEntry = yield from journal_steps("sid", session_id, journal_until_at, reason.value)
    return (entry,)


def end_session(change: changes.EndSession) -> Steps:
    values: dict[str, Value] = {"id": change.session_id, "now": change.now, "reason": change.reason.value}
    if change.account_id is None:
        sql = END_LIVE_ONE if change.must_be_live else END_ONE
    else:
        sql = END_LIVE_ONE_OF_ACCOUNT if change.must_be_live else END_ONE_OF_ACCOUNT
        values["account_id"] = change.account_id

    rows = yield Step(sql, values)
    if not rows:
        return Losing("not_live") if change.must_be_live else 0
    journal = yield from record_end(
        rows[0], change.reason, change.now, change.origin, change.actor, change.journal_until_at
    )
    return Telling(1, journal=journal)


def end_sessions(change: changes.EndSessions) -> Steps:
    yield Step(LOCK_ACCOUNT_ROW, {"id": change.account_id})
    rows = yield Step(
        END_ALL,
        {
            "account_id": change.account_id,
            "except_id": change.except_id or "",
            "now": change.now,
            "reason": change.reason.value,
        },
    )
    journal: tuple[JournalEntry, ...] = ()
    for row in rows:
        journal += yield from record_end(
            row, change.reason, change.now, change.origin, change.actor, change.journal_until_at
        )
    return Telling(len(rows), journal=journal)


def end_expired_sessions(change: changes.EndExpiredSessions) -> Steps:
    yield Step(POSTPONE, {"now": change.now, "limit": change.limit})
    rows = yield Step(END_EXPIRED, {"now": change.now, "limit": change.limit, "reason": EndReason.EXPIRED.value})
    journal: tuple[JournalEntry, ...] = ()
    for row in rows:
        journal += yield from record_end(row, EndReason.EXPIRED, change.now, Origin(), SYSTEM, change.journal_until_at)
    return Telling(len(rows), journal=journal)
