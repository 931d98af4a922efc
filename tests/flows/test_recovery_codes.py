"""New recovery codes."""

from __future__ import annotations

import pytest

from flows.factor_owner import Owner
from sekisho.errors import InvalidCode, NotFound
from sekisho.flows.recovery_codes import new_recovery_codes
from world import HOME, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(world: World) -> Owner:
    return Owner(world, await world.signed_in())


async def test_new_recovery_codes_kill_the_older_ones(world: World, owner: Owner) -> None:
    with pytest.raises(NotFound):
        await new_recovery_codes(owner.who, HOME, owner.flows)
    enrolled = await world.enrolled(owner.pair)
    codes = await new_recovery_codes(owner.who, HOME, owner.flows)
    assert len({*codes, *enrolled.recovery_codes}) == 20
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), enrolled.recovery_codes[0], method="recovery_code")
    await world.answer(await world.asked(), codes[0], method="recovery_code")
