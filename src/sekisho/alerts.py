"""Alerts: which lines of the audit trail somebody should hear of at once, how grave each is, and what is told of it.

An alert is a line of the trail that was written in the commit of its event; `audit.shipping` reads them from there,
beside the requests. It names accounts and sessions by their ids and says nothing personal: no address of mail, no
address of the network, no browser, no place. Who may see those looks the line up by its number.

Spec: OWASP ASVS 5.0 rows 6.3.5 and 16.3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from sekisho.audit import FAILURE, Event
from sekisho.audit.shipping import Channel, Line, Source
from sekisho.model import AuditRecord, EndReason, Millis, Unusual
from sekisho.ports.clock import Clock
from sekisho.times import iso_time

PLACE = "alerts_told"
# What nobody has taken for so long is old news; the trail still has it.
LONGEST_MS: Millis = 24 * 3_600_000


class Severity(StrEnum):
    """In their order, the least first."""

    NOTICE = "notice"
    WARNING = "warning"
    CRITICAL = "critical"


_ORDER = list(Severity)

_BY_EVENT: Mapping[Event, Severity] = {
    Event.SIGN_IN_UNUSUAL: Severity.NOTICE,
    Event.SESSION_UNUSUAL: Severity.NOTICE,
    Event.ACCOUNT_DISABLED: Severity.NOTICE,
    Event.ROLES_CHANGED: Severity.NOTICE,
    Event.FACTORS_RESET: Severity.WARNING,
    Event.EMAIL_RESET: Severity.WARNING,
    Event.PASSWORD_CHANGE_FORCED: Severity.WARNING,
    Event.GUARD_KEY_ADDED: Severity.WARNING,
    Event.STORE_BEHIND: Severity.WARNING,
    Event.ATTACK_SEEN: Severity.CRITICAL,
    Event.NOT_ME: Severity.CRITICAL,
    Event.SIGNING_KEY_COMPROMISED: Severity.CRITICAL,
    Event.DATABASE_RESTORED: Severity.CRITICAL,
    Event.MASTER_SECRET_REPLACED: Severity.CRITICAL,
}
_BY_REASON: Mapping[tuple[Event, str], Severity] = {
    (Event.SESSION_ENDED, EndReason.REPLAY): Severity.CRITICAL,
    (Event.SESSION_ENDED, EndReason.CLIENT_ID_MISMATCH): Severity.CRITICAL,
    (Event.SESSION_ENDED, EndReason.MOVED_UNUSUALLY): Severity.CRITICAL,
    (Event.LOGIN, "too_unusual"): Severity.CRITICAL,
    **{
        (event, reason): Severity.WARNING
        for event in (Event.SIGN_IN_UNUSUAL, Event.SESSION_UNUSUAL)
        for reason in (
            Unusual.IMPOSSIBLE_TRAVEL,
            Unusual.MANY_FAILURES,
            Unusual.SPRAYING,
            Unusual.STUFFING,
            Unusual.REFRESH_DEVICE,
        )
    },
}


def severity_of(record: AuditRecord) -> Severity | None:
    """Return how grave a line is; None for the many that are everyday."""
    event = Event(record.event)
    grave = _BY_REASON.get((event, record.reason))
    if grave is not None:
        return grave
    # A code that was refused is nobody's alarm.
    return _BY_EVENT.get(event) if record.outcome != FAILURE else None


class Alert(Struct, frozen=True):
    """What is told. `generation` and `seq` name the line: the same pair is the same alert, told once more."""

    severity: Severity
    event: str
    outcome: str
    reason: str
    at: str
    installation: str
    generation: str
    seq: int
    account_id: str
    session_id: str
    app: str
    actor: str


def alerts_channel(least: Severity, clock: Clock) -> Channel:
    """Return the channel that carries alerts from `least` on. It begins with what happens from now on."""

    def line(record: AuditRecord, source: Source, seal: int) -> Line | None:
        severity = severity_of(record)
        if severity is None or _ORDER.index(severity) < _ORDER.index(least) or clock.now() - record.at > LONGEST_MS:
            return None
        alert = Alert(
            severity=severity,
            event=record.event,
            outcome=record.outcome,
            reason=record.reason,
            at=iso_time(record.at),
            installation=source.installation,
            generation=source.generation,
            seq=record.seq,
            account_id=record.account_id,
            session_id=record.session_id,
            app=record.client_id.partition(":")[0],
            actor=record.actor,
        )
        return Line(record.at, record.outcome == FAILURE, msgspec.json.encode(alert))

    return Channel(place=PLACE, line=line, begins_at_newest=True)
