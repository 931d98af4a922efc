"""Ends by level: a session that has shown a second factor may have to end sooner, whatever way it got there."""

from __future__ import annotations

import pytest

from sekisho.errors import RefreshTokenInvalid, SessionRevoked
from sekisho.flows.authenticate import authenticate_cookie
from sekisho.flows.step_up import StepUp, step_up
from sekisho.model import Transport
from sekisho.sessions import TokenPair
from world import HOME, PASSWORD, Enrolled, World, WorldWith, principal_of

pytestmark = pytest.mark.anyio

HOUR = 3_600_000
DAY = 24 * HOUR
NIST = {"session.aal2_idle_minutes": 60, "session.aal2_absolute_hours": 24}


async def strong(world: World, transport: Transport = Transport.BODY) -> tuple[TokenPair, Enrolled]:
    """Sign in with the password and an authenticator app."""
    enrolled = await world.enrolled(await world.signed_in())
    pair = await world.answer(await world.asked(transport=transport), enrolled.app.code())
    assert pair.session.acr == "aal2"
    return pair, enrolled


async def test_N_17_a_sign_in_with_a_second_factor_is_over_after_an_hour_of_rest(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair, _ = await strong(world)
    for _ in range(3):
        world.clock.advance(minutes=60, seconds=-0.001)
        pair = await world.refresh(pair.credential)
    world.clock.advance(minutes=60)
    with pytest.raises(RefreshTokenInvalid, match="idle lifetime over"):
        await world.refresh(pair.credential)


async def test_N_17_and_after_a_day_however_much_it_is_used(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair, _ = await strong(world)
    assert pair.session.expires_at == world.now + DAY
    for _ in range(47):
        world.clock.advance(minutes=30)
        pair = await world.refresh(pair.credential)
    world.clock.advance(minutes=30)
    with pytest.raises(RefreshTokenInvalid, match="absolute lifetime over"):
        await world.refresh(pair.credential)


async def test_N_17_a_session_cookie_ends_as_soon(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair, _ = await strong(world, Transport.SESSION)
    assert pair.expires_in == 3600
    world.clock.advance(minutes=59)
    await authenticate_cookie(pair.credential, HOME, world.edge.authenticate)
    world.clock.advance(minutes=59)
    await authenticate_cookie(pair.credential, HOME, world.edge.authenticate)
    world.clock.advance(minutes=60)
    with pytest.raises(SessionRevoked, match="expired"):
        await authenticate_cookie(pair.credential, HOME, world.edge.authenticate)


async def test_N_17_a_session_of_the_password_alone_lives_as_long_as_before(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair = await world.signed_in()
    world.clock.advance(days=29)
    pair = await world.refresh(pair.credential)
    assert pair.session.idle_expires_at == world.now + 30 * DAY
    assert pair.session.expires_at == pair.session.created_at + 90 * DAY


async def test_N_17_a_step_up_that_raises_the_level_brings_its_ends(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    weak = await world.signed_in()
    enrolled = await world.enrolled(await world.login())
    shown = StepUp(method="totp", code=enrolled.app.code())
    raised = (await step_up(shown, principal_of(weak), HOME, world.edge.step_up)).session
    assert (raised.idle_expires_at, raised.expires_at) == (world.now + HOUR, world.now + DAY)
    assert await world.session(weak) == raised


async def test_N_17_so_does_the_enrolment_of_a_factor(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair = await world.signed_in()
    began = world.now
    await world.enrolled(pair)
    raised = await world.session(pair)
    assert (raised.acr, raised.idle_expires_at, raised.expires_at) == ("aal2", began + HOUR, began + DAY)


async def test_N_17_no_proof_puts_the_end_off(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair, enrolled = await strong(world)
    for _ in range(23):
        world.clock.advance(minutes=55)
        pair = await world.refresh(pair.credential)
    shown = StepUp(method="totp", code=enrolled.app.code())
    proven = (await step_up(shown, principal_of(pair), HOME, world.edge.step_up)).session
    assert proven.expires_at == pair.session.created_at + DAY


async def test_a_password_step_up_moves_no_end(world_with: WorldWith) -> None:
    world = await world_with(NIST)
    pair = await world.signed_in()
    world.clock.advance(days=1)
    proven = (await step_up(StepUp(password=PASSWORD), principal_of(pair), HOME, world.edge.step_up)).session
    assert (proven.idle_expires_at, proven.expires_at) == (pair.session.idle_expires_at, pair.session.expires_at)


async def test_by_default_every_level_lives_alike(world: World) -> None:
    pair, _ = await strong(world)
    assert pair.session.expires_at == world.now + 90 * DAY
    assert pair.session.idle_expires_at == world.now + 30 * DAY


async def test_a_clock_that_has_stepped_back_brings_no_end_nearer_that_the_level_does_not_have(world: World) -> None:
    pair = await world.signed_in()
    world.clock.advance(seconds=-1)
    await world.enrolled(pair)
    after = (await world.refresh(pair.credential)).session
    assert after.acr == "aal2"
    assert after.expires_at == pair.session.expires_at
