"""With a second factor the password alone is half a proof: what changes how one comes in wants the other half, too."""

from __future__ import annotations

import pytest

from sekisho.errors import SessionRevoked, StepUpRequired
from sekisho.flows.email_change import SendEmailCode, send_email_code
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.session_list import end_session
from sekisho.flows.withdrawal import withdraw
from sekisho.sessions import TokenPair
from world import HOME, PASSWORD, World, principal_of

pytestmark = pytest.mark.anyio


async def change(world: World, pair: TokenPair) -> None:
    wanted = PasswordChange(current_password=PASSWORD, password="thirteen loud crickets")
    await change_password(wanted, principal_of(pair), HOME, world.edge.password_change)


async def send(world: World, pair: TokenPair) -> None:
    wanted = SendEmailCode("new@mail.test", PASSWORD, HOME)
    await send_email_code(wanted, principal_of(pair), world.edge.email_change)


async def leave(world: World, pair: TokenPair) -> None:
    await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)


@pytest.mark.parametrize("act", [change, send, leave])
async def test_V7_5_1_a_proof_that_is_too_old_is_asked_for_again_and_a_new_one_will_do(
    world: World, act: object
) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    world.clock.advance(minutes=60)
    with pytest.raises(StepUpRequired) as refused:
        await act(world, pair)  # type: ignore[operator]
    assert refused.value.details is not None
    assert refused.value.details["acr"] == "aal2"
    assert await world.is_live(pair)

    fresh = await world.signed_in("jiro@mail.test")
    await world.enrolled(fresh)
    await act(world, fresh)  # type: ignore[operator]


@pytest.mark.parametrize("act", [change, send])
async def test_without_a_second_factor_the_password_is_proof_enough(world: World, act: object) -> None:
    pair = await world.signed_in()
    world.clock.advance(minutes=60)
    await act(world, pair)  # type: ignore[operator]


async def test_a_session_that_ended_during_the_call_changes_nothing(world: World) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    await end_session(pair.session.id, principal_of(pair), HOME, world.edge.session_list)
    with pytest.raises(SessionRevoked):
        await change(world, pair)
