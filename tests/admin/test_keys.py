"""Signing keys in the operator's hands; what rotation means to tokens is tested with the tokens."""

from __future__ import annotations

from asyncio import gather

import pytest

from admin.operator import JOURNAL_MS, operator_of
from sekisho.admin.keys import KeyComesFromSettings, KeySigns, compromise, list_keys, retire, rotate
from sekisho.errors import NotFound
from sekisho.model import KeyState, SigningKey
from world import World

pytestmark = pytest.mark.anyio


def kid_in(keys: list[SigningKey], state: KeyState) -> str:
    return next(key.kid for key in keys if key.state is state)


async def test_rotation_lets_the_next_key_sign_and_is_audited(world: World) -> None:
    before = await list_keys(operator_of(world))
    after = await rotate(operator_of(world))
    assert kid_in(after, KeyState.ACTIVE) == kid_in(before, KeyState.NEXT)
    retired = next(key for key in after if key.state is KeyState.RETIRED)
    assert (retired.kid, retired.verify_until_at) == (kid_in(before, KeyState.ACTIVE), world.now + JOURNAL_MS)
    lines = await world.audit("signing_keys_rotated")
    assert [(line.actor, line.subject) for line in lines] == [("operator", retired.kid)]


async def test_each_rotation_has_one_audit_record_also_when_operators_race(world: World) -> None:
    operator = operator_of(world)
    active_before = kid_in(await list_keys(operator), KeyState.ACTIVE)
    await gather(*(rotate(operator) for _ in range(4)))
    keys = await list_keys(operator)
    rotations = sum(key.state is KeyState.RETIRED for key in keys)
    assert len(await world.audit("signing_keys_rotated")) == rotations >= 1
    assert kid_in(keys, KeyState.ACTIVE) != active_before


async def test_a_compromised_key_is_journaled_audited_once_and_replaced(world: World) -> None:
    operator = operator_of(world)
    lost = kid_in(await list_keys(operator), KeyState.ACTIVE)
    after = await compromise(lost, operator)
    assert kid_in(after, KeyState.COMPROMISED) == lost
    assert kid_in(after, KeyState.ACTIVE) != lost
    assert await compromise(lost, operator) == after
    assert [line.subject for line in await world.audit("signing_key_compromised")] == [lost]
    (entry,) = (await world.store.read_journal(0)).entries
    assert (entry.kind, entry.value) == ("key", lost)


async def test_a_key_is_retired_once_with_one_audit_record_and_the_active_one_is_refused(world: World) -> None:
    operator = operator_of(world)
    old = kid_in(await list_keys(operator), KeyState.ACTIVE)
    with pytest.raises(KeySigns):
        await retire(old, operator)
    await rotate(operator)
    await gather(*(retire(old, operator) for _ in range(4)))
    keys = await list_keys(operator)
    assert [key.verify_until_at for key in keys if key.kid == old] == [world.now]
    lines = await world.audit("signing_key_retired")
    assert [(line.actor, line.subject) for line in lines] == [("operator", old)]
    (entry,) = (await world.store.read_journal(0)).entries
    assert (entry.kind, entry.value, entry.reason) == ("key", old, "key_retired")


async def test_an_unknown_key_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        await compromise("nothing", operator_of(world))
    with pytest.raises(NotFound):
        await retire("nothing", operator_of(world))


async def test_with_hs256_keys_are_not_changed_here(world: World) -> None:
    operator = operator_of(world, signing_algorithm="HS256")
    with pytest.raises(KeyComesFromSettings):
        await rotate(operator)
    with pytest.raises(KeyComesFromSettings):
        await compromise("any", operator)
    with pytest.raises(KeyComesFromSettings):
        await retire("any", operator)
    assert await world.audit("signing_keys_rotated") == []
