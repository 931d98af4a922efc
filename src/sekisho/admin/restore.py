"""Restore: make an older database safe to serve again.

    every session ends, every code is spent, the journal starts over -> the signing key makes way, so that access tokens
    of sessions that the backup does not know are refused too

What the backup does not have is gone, accounts and withdrawals since then included; the audit trail says where.
"""

from __future__ import annotations

import secrets

from sekisho.admin.accounts import OPERATOR
from sekisho.admin.keys import SYMMETRIC
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.model import Millis, Origin, SigningKey
from sekisho.ports.changes import AppendAudit, AppendJournal, Change, RaiseEpoch
from sekisho.tokens.signing_keys import rotate_keys


async def raise_epoch(world: OperatorWorld) -> int:
    """End everything that the file holds as alive; return how many sessions that were.

    Only for a file that no server has open. Running it twice ends nothing more.

    Raises:
        StoreUnavailable: the store cannot answer; nothing was kept, or it may be repeated.
    """
    now = world.clock.now()
    outcome = await world.store.apply(
        RaiseEpoch(generation=secrets.token_urlsafe(16), now=now, journal_until_at=now + world.journal_ms),
        AppendAudit(record=record(Event.DATABASE_RESTORED, SUCCESS, at=now, origin=Origin(), actor=OPERATOR)),
    )
    if world.signing_algorithm != SYMMETRIC:
        await _retire_key(world, now)
    return int(outcome.results[0])


async def _retire_key(world: OperatorWorld, now: Millis) -> None:
    """Let the next key sign and refuse the active one from now on, here and in guards."""

    def journaled(retired: SigningKey) -> tuple[Change, ...]:
        return (AppendJournal(kind="key", value=retired.kid, expires_at=now + world.journal_ms, reason="restored"),)

    await rotate_keys(world.store, world.master, world.signing_algorithm, now, 0, also=journaled)
