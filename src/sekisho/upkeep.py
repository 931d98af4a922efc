"""Upkeep: what has to happen by itself while a server runs.

    every minute   sessions whose time is over end; what nothing can use any more is deleted
    every hour     a signing key that is old enough makes way for the next one

Several nodes may do this at once: every step is one atomic change or guarded by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from msgspec import Struct

from sekisho.audit import Event, record
from sekisho.master_secret import MasterSecret
from sekisho.model import KeyState, Millis, Origin, SigningKey
from sekisho.ports.changes import AppendAudit, EndExpiredSessions, ForgetEarlierPasswords, PurgeExpired
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store, StoreUnavailable
from sekisho.revocations import CLOCK_STEP_MARGIN_MS, JOURNAL_MS, Revocations
from sekisho.tokens.signing_keys import rotate_keys

log = structlog.get_logger("sekisho.upkeep")

DAY_MS = 86_400_000
BATCH = 500
ROUND_S = 60
ROUNDS_PER_KEY_CHECK = 60


class UpkeepPlan(Struct, frozen=True, kw_only=True):
    """ended_kept_ms: how long an ended session stays readable; devices_kept_ms: how long an unused device stays known;
    forgets_passwords: no new password is compared with earlier ones; rotate_after_ms: age at which the active key
    retires (None: keys are not ours to rotate)."""

    ended_kept_ms: int = 30 * DAY_MS
    devices_kept_ms: int = 365 * DAY_MS
    forgets_passwords: bool = False
    signing_algorithm: str = "ES256"
    rotate_after_ms: int | None = None
    verify_for_ms: int = 0


async def keep_up(
    store: Store,
    clock: Clock,
    master: MasterSecret,
    revocations: Revocations,
    plan: UpkeepPlan,
    reload_keys: Callable[[], Awaitable[None]],
) -> None:
    """Run for ever. A store that does not answer is tried again in the next round.

    reload_keys: lets keys whose time is over leave the JWKS.
    """
    round_number = 0
    while True:
        try:
            now = clock.now()
            await sweep(store, now, plan)
            revocations.forget(now)
            await reload_keys()
            if round_number % ROUNDS_PER_KEY_CHECK == 0:
                await rotate_if_due(store, master, now, plan)
        except StoreUnavailable as error:
            log.warning("upkeep_postponed", error=str(error))
        round_number += 1
        await asyncio.sleep(ROUND_S)


async def sweep(store: Store, now: Millis, plan: UpkeepPlan) -> None:
    """End what has expired and delete what is useless, in batches that leave others room to write."""
    await _repeat(store, EndExpiredSessions(now=now, journal_until_at=now + JOURNAL_MS, limit=BATCH))
    purge = PurgeExpired(
        now=now,
        ended_before_at=now - plan.ended_kept_ms,
        devices_before_at=now - plan.devices_kept_ms,
        journal_before_at=now - CLOCK_STEP_MARGIN_MS,
        limit=BATCH,
    )
    await _repeat(store, purge)
    if plan.forgets_passwords:
        await _repeat(store, ForgetEarlierPasswords(limit=BATCH))


async def _repeat(store: Store, change: EndExpiredSessions | PurgeExpired | ForgetEarlierPasswords) -> None:
    """Apply a bounded change until it finds less than it may take."""
    done = BATCH
    while done >= BATCH:
        done = int((await store.apply(change)).results[0])


async def rotate_if_due(store: Store, master: MasterSecret, now: Millis, plan: UpkeepPlan) -> bool:
    """Rotate the signing keys if the active one is old enough; return whether it was."""
    if plan.rotate_after_ms is None:
        return False
    keys = await store.list_signing_keys()
    active = next((key for key in keys if key.state is KeyState.ACTIVE), None)
    if active is None or now - (active.activated_at or active.created_at) < plan.rotate_after_ms:
        return False

    def audited(retired: SigningKey) -> tuple[AppendAudit, ...]:
        rotated = Event.SIGNING_KEYS_ROTATED
        line = record(
            rotated, "success", at=now, origin=Origin(), subject=retired.kid, reason="schedule", actor="system"
        )
        return (AppendAudit(record=line),)

    await rotate_keys(store, master, plan.signing_algorithm, now, plan.verify_for_ms, also=audited)
    log.info("signing_keys_rotated", retired=active.kid)
    return True
