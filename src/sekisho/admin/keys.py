"""Signing keys, as an operator sees them: list, rotate, retire, declare compromised.

rotate      next becomes active, active becomes retired, a new next is made; nobody is logged out
retire      a key that does not sign verifies no more, before its time; clients whose tokens it signed refresh
compromise  the key is refused everywhere at once; clients whose tokens it signed refresh
"""

from __future__ import annotations

from sekisho.admin.accounts import OPERATOR
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.model import Millis, Origin, SigningKey
from sekisho.ports.changes import AppendAudit
from sekisho.tokens.signing_keys import KeySigns, compromise_key, retire_key, rotate_keys

__all__ = ["SYMMETRIC", "KeyComesFromSettings", "KeySigns", "compromise", "list_keys", "retire", "rotate"]

SYMMETRIC = "HS256"


class KeyComesFromSettings(Exception):
    """HS256: the one key is `jwt.secret_key`. It is changed there, not here."""


async def list_keys(world: OperatorWorld) -> list[SigningKey]:
    """Return all keys that the store has, newest first."""
    return await world.store.list_signing_keys()


async def rotate(world: OperatorWorld) -> list[SigningKey]:
    """Let the next key sign and retire the active one; return all keys.

    Raises:
        KeyComesFromSettings: see there.
        StoreUnavailable: the store cannot answer.
    """
    _refuse_symmetric(world)
    now = world.clock.now()
    return await rotate_keys(
        world.store,
        world.master,
        world.signing_algorithm,
        now,
        world.verify_for_ms,
        also=lambda retired: (_audit(Event.SIGNING_KEYS_ROTATED, retired.kid, now),),
    )


async def retire(kid: str, world: OperatorWorld) -> list[SigningKey]:
    """Let a key that does not sign verify no more; return all keys. Idempotent.

    Raises:
        KeySigns: it is the active key: rotate first.
        NotFound: no key of this kid.
        KeyComesFromSettings: see there.
        StoreUnavailable: the store cannot answer.
    """
    _refuse_symmetric(world)
    now = world.clock.now()
    return await retire_key(
        world.store,
        world.master,
        world.signing_algorithm,
        kid,
        now,
        now + world.journal_ms,
        also=(_audit(Event.SIGNING_KEY_RETIRED, kid, now),),
    )


async def compromise(kid: str, world: OperatorWorld) -> list[SigningKey]:
    """Stop trusting a key at once, everywhere; return all keys. Idempotent.

    Raises:
        NotFound: no key of this kid.
        KeyComesFromSettings: see there.
        StoreUnavailable: the store cannot answer.
    """
    _refuse_symmetric(world)
    now = world.clock.now()
    return await compromise_key(
        world.store,
        world.master,
        world.signing_algorithm,
        kid,
        now,
        now + world.journal_ms,
        also=(_audit(Event.SIGNING_KEY_COMPROMISED, kid, now),),
    )


def _refuse_symmetric(world: OperatorWorld) -> None:
    if world.signing_algorithm == SYMMETRIC:
        raise KeyComesFromSettings


def _audit(event: Event, kid: str, now: Millis) -> AppendAudit:
    return AppendAudit(record=record(event, SUCCESS, at=now, origin=Origin(), subject=kid, actor=OPERATOR))
