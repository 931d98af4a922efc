"""The audit trail, as an operator reads it: lists, counts, exports, reports, and the proof that it is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable

from msgspec import Struct, structs

from sekisho.admin.world import OperatorWorld
from sekisho.audit import FAILURE, SUCCESS, Event
from sekisho.audit.seals import BadHead, Seals
from sekisho.audit.verifying import Findings, verify_trail
from sekisho.errors import ValidationError
from sekisho.model import AuditRecord, Millis
from sekisho.ports.storage import AuditCount, AuditFilter

PAGE = 1000


async def list_audit(wanted: AuditFilter, world: OperatorWorld) -> list[AuditRecord]:
    """Return the records that fit, newest first.

    Raises:
        ValidationError: `event` or `outcome` is not a word of the vocabulary: a misspelt filter must not
            look like a quiet night.
    """
    check_words(wanted)
    return await world.store.list_audit(wanted)


async def count_audit(wanted: AuditFilter, world: OperatorWorld) -> list[AuditCount]:
    """Return how many records fit, by event, outcome, reason and method. Raises as `list_audit`."""
    check_words(wanted)
    return await world.store.count_audit(wanted)


async def export_audit(wanted: AuditFilter, world: OperatorWorld) -> AsyncIterator[AuditRecord]:
    """Yield all records that fit, newest first, whatever their number. Raises as `list_audit`.

    Records that are written meanwhile are not among them.
    """
    check_words(wanted)
    page = structs.replace(wanted, limit=PAGE)
    while records := await world.store.list_audit(page):
        for record in records:
            yield record
        page = structs.replace(page, before_seq=records[-1].seq)


async def verify_audit(
    world: OperatorWorld, head: str | None, progress: Callable[[int], None] | None = None
) -> Findings:
    """Return what in the trail is not as it was sealed.

    Args:
        head: a signed head that was kept outside the database, the newer the better; None if there is none.
        progress: is told how many records were checked so far.

    Raises:
        ValidationError: the head is damaged or another installation's.
    """
    seals = Seals(world.master)
    try:
        opened = seals.open_head(head) if head is not None else None
    except BadHead as error:
        raise ValidationError(details={"head": "invalid"}, detail=str(error)) from None
    return await verify_trail(world.store, seals, world.clock.now(), opened, progress)


async def current_head(world: OperatorWorld) -> str | None:
    """Return the signed head of the newest seal; None if nothing is sealed yet."""
    seal = await world.store.last_audit_seal()
    return Seals(world.master).sign_head(seal) if seal is not None else None


class Report(Struct, frozen=True, kw_only=True):
    """What happened in a period. Each list counts by the words of the vocabulary, most frequent first.

    sign_ins, failures: by method and by reason. unusual: sign-ins, by what was new or odd about them. ended: sessions,
    by reason. factors: what became of second factors. other: every other event, by event and outcome.
    adoption: no counts of the period but as it is now, see `FactorReads.count_factor_adoption`.
    """

    since_at: Millis
    until_at: Millis
    sign_ins: list[tuple[str, int]]
    failures: list[tuple[str, int]]
    unusual: list[tuple[str, int]]
    ended: list[tuple[str, int]]
    factors: list[tuple[str, int]]
    adoption: list[tuple[str, int]]
    other: list[tuple[str, int]]


async def report_audit(since_at: Millis, until_at: Millis, world: OperatorWorld) -> Report:
    """Return the counts of a period: from `since_at` on, before `until_at`."""
    counts = await world.store.count_audit(AuditFilter(since_at=since_at, until_at=until_at))
    parts = {name: Counter[str]() for name in ("sign_ins", "failures", "unusual", "ended", "factors", "other")}
    for each in counts:
        part, word = _place(each)
        parts[part][word] += each.records
    return Report(
        since_at=since_at,
        until_at=until_at,
        adoption=_most_first(Counter(await world.store.count_factor_adoption())),
        **{name: _most_first(part) for name, part in parts.items()},
    )


def _place(counted: AuditCount) -> tuple[str, str]:
    """Return the part of the report, and the word in it."""
    if counted.event in _SIGN_INS:
        return ("sign_ins", counted.method) if counted.outcome == SUCCESS else ("failures", counted.reason)
    if counted.event == Event.SIGN_IN_UNUSUAL:
        return "unusual", counted.reason
    if counted.event == Event.SESSION_ENDED:
        return "ended", counted.reason
    word = counted.event if counted.outcome == SUCCESS else f"{counted.event} ({counted.outcome})"
    return "factors" if counted.event in _FACTORS else "other", word


_SIGN_INS = (Event.LOGIN, Event.SIGN_UP)
_FACTORS = (
    Event.FACTOR_ADDED,
    Event.FACTOR_REMOVED,
    Event.FACTORS_RESET,
    Event.RECOVERY_CODES_MADE,
    Event.RECOVERY_CODE_USED,
)


def check_words(wanted: AuditFilter) -> None:
    """Raise `ValidationError` if `event` or `outcome` is not a word of the vocabulary."""
    wrong: dict[str, str] = {}
    if wanted.event is not None and wanted.event not in tuple(Event):
        wrong["event"] = "invalid_choice"
    if wanted.outcome is not None and wanted.outcome not in (SUCCESS, FAILURE):
        wrong["outcome"] = "invalid_choice"
    if wrong:
        raise ValidationError(details=wrong, detail="audit filter")


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
