"""Deleting what nothing can use any more, a bounded number of rows at a time."""

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.steps import Step, Steps

PURGE_CODES = """
DELETE FROM one_time_codes
WHERE id IN (SELECT id FROM one_time_codes WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING 1
"""

PURGE_SIGN_UPS = """
DELETE FROM pending_sign_ups
WHERE id IN (SELECT id FROM pending_sign_ups WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING 1
"""

PURGE_CHALLENGES = """
DELETE FROM challenges
WHERE id IN (SELECT id FROM challenges WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING 1
"""

PURGE_FACTORS = """
DELETE FROM factors
WHERE id IN (
    SELECT id FROM factors WHERE expires_at IS NOT NULL AND expires_at <= :now ORDER BY expires_at LIMIT :limit
)
RETURNING 1
"""

PURGE_TRUSTED_DEVICES = """
DELETE FROM trusted_devices
WHERE id IN (SELECT id FROM trusted_devices WHERE expires_at <= :now ORDER BY expires_at LIMIT :limit)
RETURNING 1
"""

PURGE_THROTTLE = """
DELETE FROM throttle
WHERE window_ends_at <= :now
    AND bucket IN (SELECT bucket FROM throttle WHERE window_ends_at <= :now ORDER BY window_ends_at LIMIT :limit)
RETURNING 1
"""

PURGE_JOURNAL = """
DELETE FROM journal
WHERE seq IN (SELECT seq FROM journal WHERE expires_at <= :before_at ORDER BY expires_at LIMIT :limit)
RETURNING 1
"""

PURGE_SESSIONS = """
DELETE FROM sessions
WHERE id IN (SELECT id FROM sessions WHERE ended_at < :before_at ORDER BY ended_at LIMIT :limit)
RETURNING 1
"""

PURGE_DEVICES = """
DELETE FROM known_devices
WHERE seen_at < :before_at AND (identifier_tag, device_tag) IN (
    SELECT identifier_tag, device_tag FROM known_devices WHERE seen_at < :before_at ORDER BY seen_at LIMIT :limit
)
RETURNING 1
"""

# Letters that were given up are kept as long as ended sessions: long enough for an operator to ask why.
PURGE_GIVEN_UP_MAIL = """
DELETE FROM outbox
WHERE id IN (
    SELECT id FROM outbox WHERE due_at IS NULL AND created_at < :before_at ORDER BY created_at LIMIT :limit
)
RETURNING 1
"""


def purge_expired(change: changes.PurgeExpired) -> Steps:
    deleted = 0
    for sql in (PURGE_CODES, PURGE_SIGN_UPS, PURGE_CHALLENGES, PURGE_FACTORS, PURGE_TRUSTED_DEVICES, PURGE_THROTTLE):
        deleted += len((yield Step(sql, {"now": change.now, "limit": change.limit})))
    for sql, before_at in (
        (PURGE_JOURNAL, change.journal_before_at),
        (PURGE_SESSIONS, change.ended_before_at),
        (PURGE_DEVICES, change.devices_before_at),
        (PURGE_GIVEN_UP_MAIL, change.ended_before_at),
    ):
        deleted += len((yield Step(sql, {"before_at": before_at, "limit": change.limit})))
    return deleted
