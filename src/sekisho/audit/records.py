"""One line of the trail, held to the vocabulary.

Never in it: a secret, a token, a code, or an address of mail in the clear.

Spec: ASVS 16.2.5, 16.4.1.
"""

from __future__ import annotations

import unicodedata

from sekisho.audit.events import ACTORS, METHODS, Event
from sekisho.audit.vocabulary import VOCABULARY
from sekisho.model import AuditRecord, Millis, Origin

_OPTIONAL_FIELDS = ("account_id", "session_id", "client_id", "method", "identifier_tag", "subject", "place", "device")

_MAX_TEXT = 512
# Controls and line ends would forge lines, format characters (bidirectional marks) would forge how a line looks.
_UNFIT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def record(
    event: Event,
    outcome: str,
    *,
    at: Millis,
    origin: Origin,
    account_id: str = "",
    session_id: str = "",
    client_id: str = "",
    method: str = "",
    reason: str = "",
    identifier_tag: str = "",
    subject: str = "",
    actor: str = "account",
    place: str = "",
    device: str = "",
) -> AuditRecord:
    """Return one line of the audit trail, held to the vocabulary and safe to show in a terminal.

    Raises:
        ValueError: an event, outcome, reason, method, actor or field that the table does not allow.
            A programming mistake: nothing that a client sends can cause it.
    """
    line = AuditRecord(
        event=str(event),
        outcome=outcome,
        at=at,
        account_id=account_id,
        session_id=session_id,
        client_id=_fit(client_id),
        method=method,
        reason=str(reason),
        actor=actor,
        identifier_tag=identifier_tag,
        subject=subject,
        ip=_fit(origin.ip),
        user_agent=_fit(origin.user_agent),
        place=_fit(place),
        device=_fit(device),
    )
    _refuse_unknown_words(line)
    _refuse_unknown_fields(line)
    return line


def _refuse_unknown_words(line: AuditRecord) -> None:
    if line.reason not in VOCABULARY[Event(line.event)].reasons.get(line.outcome, ()):
        raise ValueError(f"{line.event}: no outcome {line.outcome!r} with reason {line.reason!r}")
    if line.actor not in ACTORS:
        raise ValueError(f"{line.event}: no actor {line.actor!r}")
    if not set(line.method.split()) <= set(METHODS):
        raise ValueError(f"{line.event}: no method {line.method!r}")


def _refuse_unknown_fields(line: AuditRecord) -> None:
    allowed = VOCABULARY[Event(line.event)].fields
    unknown = [name for name in _OPTIONAL_FIELDS if getattr(line, name) and name not in allowed]
    if unknown:
        raise ValueError(f"{line.event} does not carry {', '.join(unknown)}")


def _fit(text: str) -> str:
    """Cut, and take out what could end a line, steer a terminal or turn text around."""
    return "".join(char for char in text[:_MAX_TEXT] if unicodedata.category(char) not in _UNFIT)
