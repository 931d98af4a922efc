"""Step-up: the same session, a fresher or stronger proof."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.errors import (
    InvalidCode,
    InvalidCredentials,
    RateLimitExceeded,
    SessionRevoked,
    StepUpRequired,
    ValidationError,
)
from sekisho.flows.authenticate import authenticate_bearer
from sekisho.flows.enrolment import Enrol, confirm, enrol
from sekisho.flows.step_up import StepUp, find_ways, send_code, step_up
from sekisho.flows.withdrawal import withdraw
from sekisho.mfa.methods import Method
from sekisho.model import EndReason, Origin, Transport
from sekisho.sessions import TokenPair
from world import HOME, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio


async def prove(world: World, pair: TokenPair, *, origin: Origin = HOME, **shown: str) -> TokenPair:
    return await step_up(StepUp(**shown), principal_of(pair), origin, world.edge.step_up)


async def test_V7_5_1_a_password_makes_the_same_session_fresh(world: World) -> None:
    pair = await world.signed_in()
    world.clock.advance(minutes=10)
    renewed = await prove(world, pair, password=PASSWORD)
    assert (renewed.session.id, renewed.session.auth_time_at) == (pair.session.id, world.now)
    assert (renewed.session.amr, renewed.session.acr, renewed.credential) == (("pwd",), "aal1", "")
    claims = world.edge.authenticate.access_tokens.verify(renewed.access_token or "", world.now)
    assert (claims.sid, claims.auth_time, claims.acr) == (pair.session.id, world.now // 1000, "aal1")
    assert authenticate_bearer(pair.access_token or "", world.edge.authenticate).session_id == pair.session.id
    assert (await world.refresh(pair.credential)).session.auth_time_at == world.now


@pytest.mark.parametrize("transport", Transport)
async def test_V7_5_3_a_factor_raises_the_level_over_every_transport(world: World, transport: Transport) -> None:
    weak = await world.signed_in(transport=transport)
    enrolled = await world.enrolled(await world.login())
    renewed = await prove(world, weak, method="totp", code=enrolled.app.code())
    assert (renewed.session.amr, renewed.session.acr) == (("pwd", "otp", "mfa"), "aal2")
    assert (renewed.access_token is None) == (transport is Transport.SESSION)
    assert [line.method for line in await world.audit("step_up")] == ["otp"]


async def test_a_password_is_not_enough_where_there_is_a_stronger_factor(world: World) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    with pytest.raises(StepUpRequired) as caught:
        await prove(world, pair, password=PASSWORD)
    assert caught.value.details == {"max_age": 300, "acr": "aal2", "methods": ["totp", "recovery_code"]}


async def test_of_fifty_right_codes_at_once_one_wins(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    calls = [prove(world, pair, method="totp", code=enrolled.app.code()) for _ in range(50)]
    answers = await gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, TokenPair) for answer in answers) == 1
    assert await world.is_live(pair)


async def test_a_code_that_signed_in_does_not_step_up(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    code = enrolled.app.code()
    await world.answer(await world.asked(), code)
    with pytest.raises(InvalidCode):
        await prove(world, pair, method="totp", code=code)
    with pytest.raises(InvalidCode):
        await prove(world, pair, method="recovery_code", code="A" * 24)
    await prove(world, pair, method="recovery_code", code=enrolled.recovery_codes[0])
    assert [line.reason for line in await world.audit("step_up", outcome="failure")] == ["wrong_code", "wrong_code"]
    assert len(await world.audit("recovery_code_used")) == 1


async def test_KA_087_sign_in_and_step_up_share_one_count(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    asked = await world.asked()
    for _ in range(5):
        with pytest.raises(InvalidCode):
            await world.answer(asked, enrolled.app.wrong_code())
        with pytest.raises(InvalidCode):
            await prove(world, pair, method="totp", code=enrolled.app.wrong_code())
    with pytest.raises(RateLimitExceeded):
        await prove(world, pair, method="totp", code=enrolled.app.code())
    await prove(world, pair, method="totp", code=enrolled.app.code(), origin=a_network(1))


async def test_a_wrong_password_is_counted_and_written_down(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await prove(world, pair, password="not this one")
    with pytest.raises(RateLimitExceeded):
        await prove(world, pair, password=PASSWORD)
    assert [line.reason for line in await world.audit("step_up")] == ["wrong_password"] * 5


@pytest.mark.parametrize(
    ("shown", "fields"),
    [
        ({}, ["password"]),
        ({"password": PASSWORD, "code": "123456"}, ["password"]),
        ({"method": "totp"}, ["code"]),
        ({"code": "123456"}, ["method"]),
        ({"method": "magic", "code": "123456"}, ["method"]),
        ({"method": "totp", "code": "abc"}, ["code"]),
        ({"method": "totp", "code": "123456"}, ["method"]),
    ],
)
async def test_what_is_no_proof_is_a_mistake_of_form(world: World, shown: dict[str, str], fields: list[str]) -> None:
    pair = await world.signed_in()
    with pytest.raises(ValidationError) as caught:
        await prove(world, pair, **shown)
    assert list(caught.value.details or ()) == fields


async def test_a_mailed_code_is_of_its_session_and_not_enough_beside_an_app(world: World) -> None:
    pair = await world.signed_in()
    begun = await enrol(Enrol("email"), principal_of(pair), HOME, world.edge.factors)
    await confirm(begun.id, await world.code(), principal_of(pair), HOME, world.edge.factors)
    world.clock.advance(minutes=6)
    assert await send_code("email", principal_of(pair), HOME, world.edge.step_up) == 600
    renewed = await prove(world, pair, method="email", code=await world.code())
    assert (renewed.session.auth_time_at, renewed.session.acr) == (world.now, "aal1")
    await send_code("email", principal_of(pair), HOME, world.edge.step_up)
    code = await world.code()
    await world.enrolled(pair)
    with pytest.raises(ValidationError, match="not available"):
        await send_code("email", principal_of(pair), HOME, world.edge.step_up)
    with pytest.raises(StepUpRequired):
        await prove(world, pair, method="email", code=code)


async def test_a_session_that_has_ended_is_not_renewed(world: World) -> None:
    pair = await world.signed_in()
    await world.store.apply(world.edge.login.sessions.ending(pair.session.id, EndReason.LOGOUT, HOME, world.now))
    with pytest.raises(SessionRevoked):
        await prove(world, pair, password=PASSWORD)


async def test_V7_5_1_a_withdrawal_takes_a_fresh_proof_for_a_password(world: World) -> None:
    pair = await world.signed_in()
    world.clock.advance(minutes=6)
    with pytest.raises(StepUpRequired):
        await withdraw(None, principal_of(pair), HOME, world.edge.withdrawal)
    await prove(world, pair, password=PASSWORD)
    await withdraw(None, principal_of(pair), HOME, world.edge.withdrawal)
    assert not await world.is_live(pair)


async def test_V7_5_1_a_password_alone_closes_no_account_with_a_second_factor(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    world.clock.advance(minutes=6)
    with pytest.raises(StepUpRequired):
        await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    await prove(world, pair, method="totp", code=enrolled.app.code())
    await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    assert not await world.is_live(pair)


async def test_the_ways_are_those_that_a_step_up_takes(world: World) -> None:
    pair = await world.signed_in()
    who = principal_of(pair)
    fresh = await find_ways(who, world.edge.step_up)
    assert (fresh.takes_password, fresh.methods, fresh.is_fresh) == (True, (), True)
    world.clock.advance(minutes=6)
    assert not (await find_ways(who, world.edge.step_up)).is_fresh

    enrolled = await world.enrolled(await world.login())
    ways = await find_ways(who, world.edge.step_up)
    assert (ways.takes_password, ways.methods) == (False, (Method.TOTP, Method.RECOVERY_CODE))
    await prove(world, pair, method="totp", code=enrolled.app.code())
    assert (await find_ways(who, world.edge.step_up)).is_fresh
    await world.store.apply(world.edge.login.sessions.ending(pair.session.id, EndReason.LOGOUT, HOME, world.now))
    with pytest.raises(SessionRevoked):
        await find_ways(who, world.edge.step_up)
