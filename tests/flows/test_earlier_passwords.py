"""Passwords that an account had before: refused where the policy remembers them, and wherever one was taken away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from flows.counting import CountingHashPool
from flows.test_password_change import change
from flows.test_password_reset import complete, token_of
from sekisho.admin.accounts import force_password_change
from sekisho.errors import ValidationError
from sekisho.model import Account
from sekisho.passwords.screening import Screening
from sekisho.upkeep import UpkeepPlan, sweep
from world import HANAKO, PASSWORD, World, new_world

pytestmark = pytest.mark.anyio

SUFFIX = " Aa1!"
NEXT = [f"{word} at the window{SUFFIX}" for word in ("kettle", "lantern", "willow", "drum", "otter", "plum", "heron")]


@pytest.fixture
async def legacy(tmp_path: Path) -> AsyncIterator[World]:
    async with new_world(tmp_path, {"password.profile": "legacy"}) as running:
        yield running


async def account(world: World, email: str = HANAKO) -> Account:
    found = await world.store.find_account_by_email(email)
    assert found is not None
    return found


async def earlier(world: World) -> int:
    return len(await world.store.list_earlier_passwords((await account(world)).id, 100))


async def refused_change(world: World, current: str, password: str) -> object:
    pair = await world.login(password=current)
    with pytest.raises(ValidationError) as refused:
        await change(world, pair, password, current=current)
    await world.login(password=current)
    return (refused.value.details or {})["password"]


async def test_legacy_refuses_the_last_five_at_a_change_and_takes_the_sixth(legacy: World) -> None:
    await legacy.account()
    current = PASSWORD
    for password in NEXT[:5]:
        await change(legacy, await legacy.login(password=current), password, current=current)
        current = password

    for password in NEXT[:4]:
        assert await refused_change(legacy, current, password) == "used_before"
    assert await earlier(legacy) == 4
    await change(legacy, await legacy.login(password=current), NEXT[5], current=current)
    await change(legacy, await legacy.login(password=NEXT[5]), NEXT[0], current=NEXT[5])


async def test_legacy_refuses_them_at_a_reset_the_present_one_too_and_the_token_is_still_good(legacy: World) -> None:
    await legacy.account()
    await change(legacy, await legacy.login(), NEXT[0])
    token = await token_of(legacy)
    with pytest.raises(ValidationError) as refused:
        await complete(legacy, token, NEXT[0])
    assert refused.value.details == {"password": "used_before"}
    await complete(legacy, token, NEXT[1])
    await legacy.login(password=NEXT[1])


@pytest.mark.parametrize("profile", ["standard", "legacy"])
async def test_N_05_a_password_that_an_operator_took_away_does_not_come_back(tmp_path: Path, profile: str) -> None:
    async with new_world(tmp_path, {"password.profile": profile}) as world:
        await world.account()
        await change(world, await world.login(), NEXT[0])
        await force_password_change(HANAKO, world.operator())
        token = await token_of(world)
        with pytest.raises(ValidationError) as refused:
            await complete(world, token, NEXT[0])
        assert refused.value.details == {"password": "used_before"}
        await complete(world, token, NEXT[1])
        assert await earlier(world) == (0 if profile == "standard" else 2)


async def test_standard_remembers_nothing(world: World) -> None:
    await world.account()
    await change(world, await world.login(), NEXT[0])
    await change(world, await world.login(password=NEXT[0]), PASSWORD, current=NEXT[0])
    assert await earlier(world) == 0


async def test_what_is_remembered_costs_at_most_the_five_hashes_that_the_setting_allows(legacy: World) -> None:
    await legacy.account()
    current = PASSWORD
    for password in NEXT[:6]:
        await change(legacy, await legacy.login(password=current), password, current=current)
        current = password
    pair = await legacy.login(password=current)
    pool = CountingHashPool()
    bundle = replace(legacy.edge.password_change, screening=Screening(pool))
    await change(legacy, pair, NEXT[6], current=current, bundle=bundle)
    pool.close()
    assert pool.hashed == 5


async def test_once_the_policy_remembers_none_upkeep_forgets_them(tmp_path: Path) -> None:
    async with new_world(tmp_path / "a", {"password.profile": "legacy"}) as world:
        await world.account()
        await change(world, await world.login(), NEXT[0])
        await sweep(world.store, world.now, UpkeepPlan())
        assert await earlier(world) == 1
        await sweep(world.store, world.now, UpkeepPlan(forgets_passwords=True))
        assert await earlier(world) == 0
