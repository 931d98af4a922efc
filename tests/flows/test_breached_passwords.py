"""Breached passwords at each way of setting one: refused by name, and nothing else changes."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flows.test_password_change import change
from flows.test_password_reset import complete, token_of
from sekisho.admin.accounts import NewAccount, add_account
from sekisho.admin.breached_file import make_breached_file
from sekisho.errors import ValidationError
from sekisho.flows.sign_up import SendCode, send_code
from world import HANAKO, HOME, JIRO, PASSWORD, World, new_world

pytestmark = pytest.mark.anyio

BREACHED = "sunny meadow behind the mill"
GOOD = "thirteen loud crickets"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    place = tmp_path / "breached.bin"
    make_breached_file(io.BytesIO(BREACHED.encode()), place, has_words=True)
    async with new_world(tmp_path, {"password.breached_file": str(place)}) as running:
        yield running


async def test_V6_2_12_nobody_signs_up_with_one_and_the_address_pays_for_no_mail(world: World) -> None:
    for _ in range(5):
        with pytest.raises(ValidationError) as refused:
            await send_code(SendCode(JIRO, BREACHED, "web", "en", HOME), world.edge.sign_up)
        assert refused.value.details == {"password": "breached"}

    assert await world.mail() == []
    await send_code(SendCode(JIRO, GOOD, "web", "en", HOME), world.edge.sign_up)


async def test_V6_2_12_the_network_pays_for_each_look(world: World) -> None:
    allowed = world.edge.sign_up.throttle.limits.code_sends_per_network
    found = []
    for number in range(allowed + 1):
        with pytest.raises(Exception) as refused:  # noqa: PT011 - the code is compared below
            await send_code(SendCode(f"a{number}@mail.test", BREACHED, "web", "en", HOME), world.edge.sign_up)
        found.append(getattr(refused.value, "code", ""))
    assert found == ["validation_error"] * allowed + ["rate_limit_exceeded"]


async def test_V6_2_12_a_change_to_one_is_refused_and_says_so_only_to_who_knows_the_password(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(ValidationError) as refused:
        await change(world, pair, BREACHED)
    assert refused.value.details == {"password": "breached"}
    with pytest.raises(Exception, match="wrong_password"):
        await change(world, pair, BREACHED, current="not this one")
    await world.login(password=PASSWORD)


async def test_V6_2_12_a_reset_to_one_is_refused_and_the_token_still_sets_another(world: World) -> None:
    await world.account()
    token = await token_of(world)
    with pytest.raises(ValidationError) as refused:
        await complete(world, token, BREACHED)
    assert refused.value.details == {"password": "breached"}
    await complete(world, token, GOOD)
    await world.login(password=GOOD)


async def test_V6_2_12_an_operator_adds_nobody_with_one(world: World) -> None:
    with pytest.raises(ValidationError) as refused:
        await add_account(NewAccount(email=HANAKO, password=BREACHED), world.operator())
    assert refused.value.details == {"password": "breached"}
    assert await world.store.find_account_by_email(HANAKO) is None
