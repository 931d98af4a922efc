"""Starting a session, and keeping it alive without a rotation."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.model import AAL2, EndReason, JournalEntry, Origin, Session
from sekisho.ports import changes, factor_changes
from sekisho.storage.changes.locks import LOCK_ACCOUNT
from sekisho.storage.changes.records import SYSTEM
from sekisho.storage.changes.session_ends import END_ONE, record_end
from sekisho.storage.rows import SESSION, columns, session_from, text_from_words
from sekisho.storage.steps import Losing, Step, Steps, Telling, Value

INSERT = f"""
INSERT INTO sessions ({columns(SESSION)}, sweep_at)
VALUES (:id, :account_id, :client_id, :transport, :secret_hash, :counter, :auth_time_at, :amr, :acr, :device_name,
        :device_os, :device_browser, :device_type, :user_agent, :ip, :place, :created_at, :last_seen_at, :rotated_at,
        :idle_expires_at, :expires_at, :ended_at, :end_reason, :idle_expires_at)
"""

OTHERS = """
SELECT id, CASE WHEN idle_expires_at > :now AND expires_at > :now THEN 1 ELSE 0 END AS is_live FROM sessions
WHERE account_id = :account_id AND ended_at IS NULL AND id <> :id
ORDER BY is_live DESC, last_seen_at DESC, created_at DESC, id DESC
"""

TOUCH = f"""
UPDATE sessions
SET last_seen_at = :now, ip = :ip,
    idle_expires_at = CASE
        WHEN acr = '{AAL2}' AND :raised_idle_until_at < expires_at THEN :raised_idle_until_at
        WHEN acr <> '{AAL2}' AND :idle_until_at < expires_at THEN :idle_until_at
        ELSE expires_at END
WHERE id = :id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
"""

RENEW_PROOF = f"""
UPDATE sessions
SET auth_time_at = :now, amr = :amr, acr = :acr,
    expires_at = CASE WHEN :expires_by_at < expires_at THEN :expires_by_at ELSE expires_at END,
    idle_expires_at = CASE WHEN :idle_by_at < idle_expires_at THEN :idle_by_at ELSE idle_expires_at END,
    sweep_at = CASE WHEN :idle_by_at < sweep_at THEN :idle_by_at ELSE sweep_at END
WHERE id = :id AND account_id = :account_id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
RETURNING {columns(SESSION)}
"""

SAVE_USE = """
UPDATE sessions
SET counter = :counter, rotated_at = :rotated_at, last_seen_at = :last_seen_at, ip = :ip,
    idle_expires_at = CASE WHEN :idle_expires_at < expires_at THEN :idle_expires_at ELSE expires_at END
WHERE id = :id AND ended_at IS NULL AND (counter < :counter OR (counter = :counter AND last_seen_at < :last_seen_at))
RETURNING 1
"""


def _values(session: Session) -> dict[str, Value]:
    return {
        "id": session.id,
        "account_id": session.account_id,
        "client_id": session.client_id,
        "transport": session.transport.value,
        "secret_hash": session.secret_hash,
        "counter": session.counter,
        "auth_time_at": session.auth_time_at,
        "amr": text_from_words(session.amr),
        "acr": session.acr,
        "device_name": session.device.name,
        "device_os": session.device.os,
        "device_browser": session.device.browser,
        "device_type": session.device.type,
        "user_agent": session.user_agent,
        "ip": session.ip,
        "place": session.place,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "rotated_at": session.rotated_at,
        "idle_expires_at": min(session.idle_expires_at, session.expires_at),
        "expires_at": session.expires_at,
        "ended_at": session.ended_at,
        "end_reason": session.end_reason,
    }


def start_session(change: changes.StartSession) -> Steps:
    session, now = change.session, change.now
    locked = yield Step(LOCK_ACCOUNT, {"id": session.account_id, "security_version": change.security_version})
    if not locked:
        return Losing("security_version")
    yield Step(INSERT, _values(session))

    others = yield Step(OTHERS, {"account_id": session.account_id, "id": session.id, "now": now})
    evicted: list[str] = []
    journal: tuple[JournalEntry, ...] = ()
    for place, (other_id, is_live) in enumerate(others, start=1):
        if is_live and place < change.max_sessions:
            continue
        # Also those whose time is over, which do not count: once a clock that was ahead is corrected they would.
        reason = EndReason.EVICTED if is_live else EndReason.EXPIRED
        ended = yield Step(END_ONE, {"id": other_id, "now": now, "reason": reason.value})
        if ended:
            evicted += [other_id] if is_live else []
            origin, actor = (change.origin, "account") if is_live else (Origin(), SYSTEM)
            journal += yield from record_end(ended[0], reason, now, origin, actor, change.journal_until_at)
    return Telling(tuple(evicted), journal=journal)


def touch_session(change: changes.TouchSession) -> Steps:
    yield Step(
        TOUCH,
        {
            "id": change.session_id,
            "now": change.now,
            "idle_until_at": change.now + change.idle_ms,
            "raised_idle_until_at": change.now + change.aal2_idle_ms,
            "ip": change.ip,
        },
    )
    return None


def renew_proof(change: factor_changes.RenewProof) -> Steps:
    locked = yield Step(LOCK_ACCOUNT, {"id": change.account_id, "security_version": change.security_version})
    if not locked:
        return Losing("security_version")
    rows = yield Step(
        RENEW_PROOF,
        {
            "id": change.session_id,
            "account_id": change.account_id,
            "amr": text_from_words(change.amr),
            "acr": change.acr,
            "now": change.now,
            "idle_by_at": min(change.idle_by_at, change.expires_by_at),
            "expires_by_at": change.expires_by_at,
        },
    )
    return session_from(rows[0]) if rows else Losing("not_live")


def save_session_use(change: changes.SaveSessionUse) -> Steps:
    saved = yield Step(
        SAVE_USE,
        {
            "id": change.session_id,
            "counter": change.counter,
            "rotated_at": change.rotated_at,
            "last_seen_at": change.last_seen_at,
            "idle_expires_at": change.idle_expires_at,
            "ip": change.ip,
        },
    )
    return len(saved)
