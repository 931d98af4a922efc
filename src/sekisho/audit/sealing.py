"""Keeping the chain: what is new is sealed, what is old is blanked, what is older still is deleted.

    every ten seconds   seal the records that no seal covers yet
    every hour          blank what is personal in batches older than its time; delete batches older than theirs

Several nodes may do this at once: a seal's number is taken once, a batch is retired once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from sekisho.audit.seals import Seals
from sekisho.model import AuditSeal, Millis
from sekisho.ports.changes import AddAuditSeal, BlankSealedAudit, PurgeSealedAudit
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store, StoreUnavailable

log = structlog.get_logger("sekisho.audit")

BATCH = 1000
ROUND_S = 10
ROUNDS_PER_RETIREMENT = 360
RETIRED_AT_ONCE = 20


class Retention(Struct, frozen=True):
    """How long a sealed batch keeps what is personal, and how long it is kept at all. None: for ever."""

    personal_ms: int | None
    records_ms: int | None


async def keep_sealed(
    store: Store,
    clock: Clock,
    seals: Seals,
    retention: Retention,
    tell: Callable[[AuditSeal, str], Awaitable[None]],
) -> None:
    """Run for ever. A store that does not answer is tried again in the next round.

    tell: gets the newest seal of this node and its signed head, to be kept outside the database.
    """
    round_number = 0
    while True:
        try:
            newest = await seal_waiting(store, seals, clock.now())
            if newest is not None:
                await tell(newest, seals.sign_head(newest))
            if round_number % ROUNDS_PER_RETIREMENT == 0:
                await retire(store, seals, retention, clock.now())
        except StoreUnavailable as error:
            log.warning("audit_sealing_postponed", error=str(error))
        round_number += 1
        await asyncio.sleep(ROUND_S)


async def seal_waiting(store: Store, seals: Seals, now: Millis) -> AuditSeal | None:
    """Seal every record that no seal covers, batch by batch; return the newest seal made here, if any."""
    newest: AuditSeal | None = None
    while True:
        last = await store.last_audit_seal()
        records = await store.read_audit_to_seal(last.last_seq if last else 0, BATCH)
        if not records:
            return newest
        seal = seals.make(last, records, now)
        # Lost: another node sealed these. Go on from where it came to.
        if (await store.apply(AddAuditSeal(seal=seal))).lost is None:
            newest = seal


async def retire(store: Store, seals: Seals, retention: Retention, now: Millis) -> None:
    """Blank and purge the batches whose time is over."""
    if retention.personal_ms is not None:
        await _retire(store, seals, now - retention.personal_ms, to_purge=False)
    if retention.records_ms is not None:
        await _retire(store, seals, now - retention.records_ms, to_purge=True)


async def _retire(store: Store, seals: Seals, sealed_before_at: Millis, *, to_purge: bool) -> None:
    change, what = (PurgeSealedAudit, "purge") if to_purge else (BlankSealedAudit, "blank")
    while aged := await store.list_aged_audit_seals(sealed_before_at, to_purge=to_purge, limit=RETIRED_AT_ONCE):
        for seal in aged:
            # One call a batch, so that others get to write in between. Lost: another node was faster.
            await store.apply(change(number=seal.number, tag=seals.retirement_tag(what, seal)))
