"""Factors: list, rename, remove, and what every change of them asks for."""

from __future__ import annotations

import pytest

from flows.factor_owner import Owner
from sekisho.admin.accounts import reset_factors
from sekisho.errors import NotFound, Refusal, SessionNotFound, StepUpRequired, ValidationError
from sekisho.flows.factors import rename
from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.model import EndReason, FactorKind
from world import HANAKO, HOME, JIRO, World

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(world: World) -> Owner:
    return Owner(world, await world.signed_in())


async def test_V7_5_1_what_changes_how_one_comes_in_needs_a_fresh_proof(world: World, owner: Owner) -> None:
    world.clock.advance(minutes=5)
    begun = await owner.enrol()
    factor = (await owner.confirm(begun.id, owner.app(begun).code())).factor
    world.clock.advance(minutes=5, seconds=0.001)
    calls = (
        lambda: owner.enrol(),
        lambda: owner.remove(factor.id),
        lambda: new_recovery_codes(owner.who, HOME, owner.flows),
    )
    for call in calls:
        with pytest.raises(StepUpRequired) as caught:
            await call()
        assert caught.value.details == {"max_age": 300, "acr": "aal2"}
    assert await owner.kinds() == [FactorKind.TOTP]


async def test_V7_5_3_a_session_without_the_factor_is_too_weak_however_fresh(world: World, owner: Owner) -> None:
    weak = Owner(world, await world.login())
    enrolled = await world.enrolled(owner.pair)
    with pytest.raises(StepUpRequired, match="too weak"):
        await weak.remove(enrolled.factor_id)


async def test_V6_5_6_V6_3_7_a_removed_factor_is_gone_at_once_and_the_owner_is_told(world: World, owner: Owner) -> None:
    enrolled = await world.enrolled(owner.pair)
    asked = await world.asked()
    await owner.remove(enrolled.factor_id)
    assert await owner.kinds() == []
    assert await world.store.count_recovery_codes(owner.pair.account.id) == 0
    with pytest.raises(Refusal):
        await world.answer(asked, enrolled.app.code())
    with pytest.raises(Refusal):
        await world.answer(asked, enrolled.recovery_codes[0], method="recovery_code")
    await world.login()
    subjects = [letter.subject for letter in await world.mail(HANAKO)]
    assert [subject.split(" at ")[0] for subject in subjects] == [
        "A second factor was added to your account",
        "A second factor was removed from your account",
    ]
    assert "the last one" in (await world.mail(HANAKO))[-1].text
    assert [line.subject for line in await world.audit("factor_removed")] == [enrolled.factor_id]


async def test_V7_4_3_other_sessions_end_with_a_change_where_it_is_wanted(world: World, owner: Owner) -> None:
    others = [await world.login(), await world.login()]
    begun = await owner.enrol()
    done = await owner.confirm(begun.id, owner.app(begun).code(), end_others=True)
    assert (done.ended, await world.is_live(owner.pair)) == (2, True)
    assert [(await world.session(other)).end_reason for other in others] == [EndReason.FACTORS_CHANGED] * 2
    world.clock.advance(seconds=30)
    other = await world.answer(await world.asked(), owner.app(begun).code())
    assert await owner.remove(done.factor.id, end_others=True) == 1
    assert not await world.is_live(other)


async def test_another_s_factor_looks_as_if_it_did_not_exist(world: World, owner: Owner) -> None:
    enrolled = await world.enrolled(await world.signed_in(JIRO))
    with pytest.raises(NotFound):
        await owner.remove(enrolled.factor_id)
    with pytest.raises(NotFound):
        await rename(enrolled.factor_id, "mine", owner.who, HOME, owner.flows)
    with pytest.raises(NotFound):
        await owner.remove("../..")


async def test_a_factor_is_renamed_and_a_name_is_held_to_its_form(world: World, owner: Owner) -> None:
    enrolled = await world.enrolled(owner.pair)
    assert (await rename(enrolled.factor_id, " 新しい電話 ", owner.who, HOME, owner.flows)).name == "新しい電話"
    for name in ("x" * 101, "a\nb", "a\u202eb"):
        with pytest.raises(ValidationError):
            await rename(enrolled.factor_id, name, owner.who, HOME, owner.flows)


async def test_an_operator_resets_what_somebody_has_lost(world: World, owner: Owner) -> None:
    await world.enrolled(owner.pair)
    asked = await world.asked()
    done = await reset_factors(HANAKO, world.operator())
    assert done.ended == 1
    assert not await world.is_live(owner.pair)
    assert [one.id for one in await world.store.list_factors(owner.pair.account.id)] == []
    with pytest.raises(SessionNotFound):
        await world.answer(asked, "123456")
    await world.login()
    (line,) = await world.audit("factors_reset")
    assert (line.actor, line.account_id) == ("operator", owner.pair.account.id)
    assert (await world.mail(HANAKO))[-1].subject.startswith("The second factors of your account")
