"""Journal and audit: the two lists that other changes append to in their own commit."""

from __future__ import annotations

from sekisho.model import AuditRecord, JournalEntry
from sekisho.ports import changes
from sekisho.storage.steps import Step, Steps, Telling

# The actor of what the server does by itself.
SYSTEM = "system"

APPEND_JOURNAL = """
INSERT INTO journal (kind, value, expires_at, reason) VALUES (:kind, :value, :expires_at, :reason) RETURNING seq
"""

APPEND_AUDIT = """
INSERT INTO audit (event, outcome, at, account_id, session_id, client_id, method, reason, actor, identifier_tag,
                   subject, ip, user_agent, place, device)
VALUES (:event, :outcome, :at, :account_id, :session_id, :client_id, :method, :reason, :actor, :identifier_tag,
        :subject, :ip, :user_agent, :place, :device)
"""


def journal_steps(kind: str, value: str, expires_at: int, reason: str) -> Steps:
    """Append one entry; returns the `JournalEntry` with its number."""
    rows = yield Step(APPEND_JOURNAL, {"kind": kind, "value": value, "expires_at": expires_at, "reason": reason})
    return JournalEntry(seq=rows[0][0], kind=kind, value=value, expires_at=expires_at, reason=reason)


def audit_step(record: AuditRecord) -> Step:
    """The statement that appends one record; its own `seq` is ignored."""
    return Step(
        APPEND_AUDIT,
        {
            "event": record.event,
            "outcome": record.outcome,
            "at": record.at,
            "account_id": record.account_id,
            "session_id": record.session_id,
            "client_id": record.client_id,
            "method": record.method,
            "reason": record.reason,
            "actor": record.actor,
            "identifier_tag": record.identifier_tag,
            "subject": record.subject,
            "ip": record.ip,
            "user_agent": record.user_agent,
            "place": record.place,
            "device": record.device,
        },
    )


def append_journal(change: changes.AppendJournal) -> Steps:
    entry = yield from journal_steps(change.kind, change.value, change.expires_at, change.reason)
    return Telling(journal=(entry,))


def append_audit(change: changes.AppendAudit) -> Steps:
    yield audit_step(change.record)
    return None
