"""The audit trail, as an operator reads it."""

from __future__ import annotations

from sekisho.admin.world import OperatorWorld
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.errors import ValidationError
from sekisho.model import AuditRecord
from sekisho.ports.storage import AuditFilter


async def list_audit(wanted: AuditFilter, world: OperatorWorld) -> list[AuditRecord]:
    """Return the records that fit, newest first.

    Raises:
        ValidationError: `event` or `outcome` is not a word of the vocabulary: a misspelt filter must not
            look like a quiet night.
    """
    wrong: dict[str, str] = {}
    if wanted.event is not None and wanted.event not in tuple(Event):
        wrong["event"] = "invalid_choice"
    if wanted.outcome is not None and wanted.outcome not in (SUCCESS, FAILURE):
        wrong["outcome"] = "invalid_choice"
    if wrong:
        raise ValidationError(details=wrong, detail="audit filter")
    return await world.store.list_audit(wanted)
