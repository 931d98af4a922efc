"""Letters: queued in the commit of the event, leased by a worker, forgotten or given up."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.rows import QUEUED_MAIL, columns, queued_mail_from
from sekisho.storage.steps import Step, Steps, Telling

QUEUE = """
INSERT INTO outbox (id, sealed, attempts, created_at, expires_at, due_at)
VALUES (:id, :sealed, 0, :now, :expires_at, :now)
"""

GIVE_UP_EXPIRED = """
UPDATE outbox SET sealed = NULL, due_at = NULL, error = 'expired' WHERE due_at <= :now AND expires_at <= :now
"""

# The outer condition on due_at is for PostgreSQL: a row that another worker leased meanwhile is looked at again.
CLAIM = f"""
UPDATE outbox SET attempts = attempts + 1, due_at = :lease_until_at
WHERE due_at <= :now AND id IN (
    SELECT id FROM outbox WHERE due_at <= :now ORDER BY due_at, created_at LIMIT :limit
)
RETURNING {columns(QUEUED_MAIL)}
"""

SENT = "DELETE FROM outbox WHERE id = :id"

FAILED = "UPDATE outbox SET due_at = :retry_at, error = :error WHERE id = :id AND due_at IS NOT NULL"

GIVE_UP = "UPDATE outbox SET due_at = NULL, sealed = NULL, error = :error WHERE id = :id"


def queue_mail(change: changes.QueueMail) -> Steps:
    yield Step(
        QUEUE,
        {"id": change.id, "sealed": change.sealed, "now": change.now, "expires_at": change.expires_at},
    )
    return Telling(mail_queued=True)


def claim_mail(change: changes.ClaimMail) -> Steps:
    yield Step(GIVE_UP_EXPIRED, {"now": change.now})
    rows = yield Step(CLAIM, {"now": change.now, "lease_until_at": change.lease_until_at, "limit": change.limit})
    letters = [queued_mail_from(row) for row in rows]
    return tuple(sorted(letters, key=lambda letter: (letter.created_at, letter.id)))


def mail_sent(change: changes.MailSent) -> Steps:
    yield Step(SENT, {"id": change.id})
    return None


def mail_failed(change: changes.MailFailed) -> Steps:
    if change.retry_at is None:
        yield Step(GIVE_UP, {"id": change.id, "error": change.error})
    else:
        yield Step(FAILED, {"id": change.id, "error": change.error, "retry_at": change.retry_at})
    return None
