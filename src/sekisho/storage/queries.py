"""The statements of the reads, shared by the SQL engines."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from collections.abc import Iterable

from sekisho.ports.storage import AuditFilter
from sekisho.storage.rows import (
    ACCOUNT,
    AUDIT,
    AUDIT_SEAL,
    CHALLENGE,
    FACTOR,
    GUARD_KEY,
    JOURNAL,
    ONE_TIME_CODE,
    PENDING_SIGN_UP,
    QUEUED_MAIL,
    RECOVERY_EMAIL,
    SESSION,
    SIGNING_KEY,
    TRACE,
    TRUSTED_DEVICE,
    columns,
)
from sekisho.storage.steps import Step, Value

FIND_ACCOUNT = f"SELECT {columns(ACCOUNT)} FROM accounts WHERE id = :id"
FIND_ACCOUNT_BY_EMAIL = f"SELECT {columns(ACCOUNT)} FROM accounts WHERE email_key = :email_key"
LIST_ACCOUNTS = f"SELECT {columns(ACCOUNT)} FROM accounts WHERE id > :after_id ORDER BY id LIMIT :limit"

FIND_RECOVERY_EMAIL = f"SELECT {columns(RECOVERY_EMAIL)} FROM recovery_emails WHERE account_id = :account_id"

IS_KNOWN_DEVICE = "SELECT 1 FROM known_devices WHERE identifier_tag = :identifier_tag AND device_tag = :device_tag"

FIND_ONE_TIME_CODE = f"SELECT {columns(ONE_TIME_CODE)} FROM one_time_codes WHERE id = :id"
FIND_PENDING_SIGN_UP = f"SELECT {columns(PENDING_SIGN_UP)} FROM pending_sign_ups WHERE id = :id"
LIST_PENDING_SIGN_UPS = f"""
SELECT {columns(PENDING_SIGN_UP, "pending_sign_ups")}
FROM pending_sign_ups JOIN one_time_codes ON one_time_codes.id = pending_sign_ups.id
WHERE pending_sign_ups.email_key = :email_key AND one_time_codes.used_at IS NULL
ORDER BY pending_sign_ups.created_at DESC, pending_sign_ups.id DESC
LIMIT 50
"""

FIND_SESSION = f"SELECT {columns(SESSION)} FROM sessions WHERE id = :id"
FIND_SESSION_AND_ACCOUNT = f"""
SELECT {columns(SESSION, "sessions")}, {columns(ACCOUNT, "accounts")}
FROM sessions JOIN accounts ON accounts.id = sessions.account_id
WHERE sessions.id = :id
"""
LIST_SESSIONS = f"""
SELECT {columns(SESSION)} FROM sessions
WHERE account_id = :account_id AND ended_at IS NULL AND idle_expires_at > :now AND expires_at > :now
ORDER BY last_seen_at DESC, created_at DESC, id DESC
"""
LIST_EXPIRED_SESSIONS = f"""
SELECT {columns(SESSION)} FROM sessions
WHERE ended_at IS NULL AND sweep_at <= :now AND idle_expires_at <= :now
ORDER BY sweep_at LIMIT :limit
"""

LIST_EARLIER_PASSWORDS = """
SELECT password_hash FROM earlier_passwords WHERE account_id = :account_id ORDER BY security_version DESC LIMIT :limit
"""

LIST_FACTORS = f"SELECT {columns(FACTOR)} FROM factors WHERE account_id = :account_id ORDER BY created_at, id"
LIST_ALL_FACTORS = f"SELECT {columns(FACTOR)} FROM factors WHERE id > :after_id ORDER BY id LIMIT :limit"
COUNT_RECOVERY_CODES = "SELECT count(*) FROM recovery_codes WHERE account_id = :account_id AND used_at IS NULL"
COUNT_FACTOR_ADOPTION = """
SELECT 'accounts', count(*) FROM accounts WHERE status = 'active'
UNION ALL
SELECT 'with_factor', count(DISTINCT account_id)
FROM factors JOIN accounts ON accounts.id = account_id WHERE confirmed_at IS NOT NULL AND status = 'active'
UNION ALL
SELECT kind, count(DISTINCT account_id)
FROM factors JOIN accounts ON accounts.id = account_id WHERE confirmed_at IS NOT NULL AND status = 'active'
GROUP BY kind
"""
FIND_TRUSTED_DEVICE = f"SELECT {columns(TRUSTED_DEVICE)} FROM trusted_devices WHERE value_hash = :value_hash"
LIST_TRUSTED_DEVICES = f"""
SELECT {columns(TRUSTED_DEVICE, "trusted_devices")}
FROM trusted_devices JOIN accounts ON accounts.id = trusted_devices.account_id
WHERE trusted_devices.account_id = :account_id AND trusted_devices.expires_at > :now
    AND trusted_devices.security_version = accounts.security_version
ORDER BY trusted_devices.last_used_at DESC, trusted_devices.id DESC
"""
FIND_CHALLENGE = f"SELECT {columns(CHALLENGE)} FROM challenges WHERE id = :id"

READ_JOURNAL = f"SELECT {columns(JOURNAL)} FROM journal WHERE seq > :after_seq ORDER BY seq LIMIT :limit"

LIST_SIGNING_KEYS = f"SELECT {columns(SIGNING_KEY)} FROM signing_keys ORDER BY created_at DESC, kid DESC"

LIST_GUARD_KEYS = f"SELECT {columns(GUARD_KEY)} FROM guard_keys ORDER BY name"
FIND_GUARD_KEY = f"SELECT {columns(GUARD_KEY)} FROM guard_keys WHERE id = :id"

READ_AUDIT = f"""
SELECT {columns(AUDIT)} FROM audit WHERE seq > :after_seq AND seq <= :until_seq ORDER BY seq LIMIT :limit
"""
READ_AUDIT_TO_SEAL = f"SELECT {columns(AUDIT)} FROM audit WHERE seq > :after_seq ORDER BY seq LIMIT :limit"
_NEWEST = "FROM audit WHERE account_id = :account_id ORDER BY seq DESC LIMIT :newest"
_SIGNED_IN = "event IN ('login', 'sign_up') AND outcome = 'success'"
# The second half is walked only where the first holds no sign-in.
LIST_TRACES = f"""
SELECT {columns(TRACE)} FROM (SELECT {columns(TRACE)} {_NEWEST}) AS newest
UNION ALL
SELECT {columns(TRACE)} FROM (
    SELECT {columns(TRACE)} FROM audit
    WHERE account_id = :account_id AND {_SIGNED_IN}
        AND seq < (SELECT min(seq) FROM (SELECT seq {_NEWEST}) AS numbers)
        AND NOT EXISTS (SELECT 1 FROM (SELECT event, outcome {_NEWEST}) AS words WHERE {_SIGNED_IN})
    ORDER BY seq DESC LIMIT :sign_ins
) AS earlier
"""
LAST_AUDIT_SEAL = f"SELECT {columns(AUDIT_SEAL)} FROM audit_seals ORDER BY number DESC LIMIT 1"
LIST_AUDIT_SEALS = f"""
SELECT {columns(AUDIT_SEAL)} FROM audit_seals WHERE number > :after_number ORDER BY number LIMIT :limit
"""
LIST_SEALS_TO_BLANK = f"""
SELECT {columns(AUDIT_SEAL)} FROM audit_seals
WHERE blank_tag IS NULL AND sealed_at < :sealed_before_at ORDER BY sealed_at LIMIT :limit
"""
LIST_SEALS_TO_PURGE = f"""
SELECT {columns(AUDIT_SEAL)} FROM audit_seals
WHERE purge_tag IS NULL AND sealed_at < :sealed_before_at ORDER BY sealed_at LIMIT :limit
"""

FIND_META = "SELECT value FROM meta WHERE name = :name"

LIST_WAITING_MAIL = f"""
SELECT {columns(QUEUED_MAIL)} FROM outbox WHERE due_at IS NOT NULL AND id > :after_id ORDER BY id LIMIT :limit
"""
NEXT_MAIL_AT = "SELECT min(due_at) FROM outbox WHERE due_at IS NOT NULL"

COUNTED = ("accounts", "live_sessions", "mail_waiting", "mail_given_up", "journal")
COUNTS = """
SELECT
    (SELECT count(*) FROM accounts WHERE status <> 'withdrawn'),
    (SELECT count(*) FROM sessions WHERE ended_at IS NULL),
    (SELECT count(*) FROM outbox WHERE due_at IS NOT NULL),
    (SELECT count(*) FROM outbox WHERE due_at IS NULL),
    (SELECT count(*) FROM journal)
"""

_AUDIT_CONDITIONS = {
    "account_id": "account_id = :account_id",
    "session_id": "session_id = :session_id",
    "event": "event = :event",
    "outcome": "outcome = :outcome",
    "since_at": "at >= :since_at",
    "until_at": "at < :until_at",
    "before_seq": "seq < :before_seq",
}


def _audit_conditions(wanted: AuditFilter, names: Iterable[str]) -> tuple[str, dict[str, Value]]:
    """Put together the fixed conditions that were asked for, so that each combination can use its index."""
    values: dict[str, Value] = {name: value for name in names if (value := getattr(wanted, name)) is not None}
    return " AND ".join(_AUDIT_CONDITIONS[name] for name in values) or "1 = 1", values


def count_audit(wanted: AuditFilter) -> Step:
    where, values = _audit_conditions(wanted, [name for name in _AUDIT_CONDITIONS if name != "before_seq"])
    kind = "event, outcome, reason, method"
    return Step(f"SELECT {kind}, count(*) FROM audit WHERE {where} GROUP BY {kind} ORDER BY {kind}", values)


def list_audit(wanted: AuditFilter) -> Step:
    where, values = _audit_conditions(wanted, _AUDIT_CONDITIONS)
    sql = f"SELECT {columns(AUDIT)} FROM audit WHERE {where} ORDER BY seq DESC LIMIT :limit"
    return Step(sql, {**values, "limit": wanted.limit})
