"""The operator's bundle over the same store, clock and keys as a running world."""

from __future__ import annotations

from sekisho.admin.world import OperatorWorld
from world import World

JOURNAL_MS = 16 * 60_000


def operator_of(world: World, *, signing_algorithm: str = "ES256") -> OperatorWorld:
    sign_up = world.edge.sign_up
    return OperatorWorld(
        store=world.store,
        clock=world.clock,
        master=world.master,
        passwords=sign_up.passwords,
        policy=sign_up.policy,
        screening=sign_up.screening,
        throttle=sign_up.throttle,
        outbox=sign_up.outbox,
        not_me=world.edge.not_me.codes,
        journal_ms=JOURNAL_MS,
        signing_algorithm=signing_algorithm,
        verify_for_ms=JOURNAL_MS,
    )
