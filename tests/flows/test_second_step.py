"""Which second step is asked of whom, and how one is answered by somebody without a second factor."""

from __future__ import annotations

import pytest

from sekisho.errors import InvalidCode, SessionNotFound, ValidationError
from sekisho.flows.second_factor import SendFactorCode, send_code
from sekisho.identifiers import parse_client_id
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.methods import Method
from sekisho.mfa.second_step import FirstStep
from sekisho.model import Account, Transport
from world import HANAKO, HOME, World

pytestmark = pytest.mark.anyio


async def asked_for_mail(world: World, account: Account) -> SecondFactorRequired:
    """Return what a sign-in gets of which a code by mail is asked."""
    client = parse_client_id("web")
    challenge = world.edge.login.challenges.new(account, client, Transport.BODY, world.now)
    await world.store.apply(challenge.opening)
    return SecondFactorRequired(challenge.value, (Method.EMAIL,))


def first(world: World, account: Account, *, is_unusual: bool = False) -> FirstStep:
    return FirstStep(account=account, client=parse_client_id("web"), now=world.now, is_unusual=is_unusual)


async def test_without_a_second_factor_nothing_is_asked_unless_the_sign_in_is_unusual(world: World) -> None:
    pair = await world.signed_in()
    steps = world.edge.login.second_steps
    assert (await steps.ask(first(world, pair.account))).methods == ()
    assert (await steps.ask(first(world, pair.account, is_unusual=True))).methods == (Method.EMAIL,)


async def test_whoever_has_a_second_factor_is_asked_for_it_in_any_case(world: World) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    steps = world.edge.login.second_steps
    for is_unusual in (False, True):
        step = await steps.ask(first(world, await world.account(), is_unusual=is_unusual))
        assert step.methods == (Method.TOTP, Method.RECOVERY_CODE)


async def test_a_code_by_mail_finishes_the_sign_in_of_somebody_without_a_second_factor_once(world: World) -> None:
    pair = await world.signed_in()
    asked = await asked_for_mail(world, pair.account)
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    code = await world.code(HANAKO)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    with pytest.raises(InvalidCode, match="wrong_code"):
        await world.answer(asked, wrong, method="email", client_id="web")
    with pytest.raises(ValidationError, match="not available"):
        await world.answer(asked, code, method="totp", client_id="web")
    done = await world.answer(asked, code, method="email", client_id="web")
    session = await world.session(done)
    assert (session.amr, session.acr) == (("pwd", "otp"), "aal1")
    with pytest.raises(SessionNotFound):
        await world.answer(asked, code, method="email", client_id="web")


async def test_somebody_with_an_authenticator_app_cannot_answer_by_mail(world: World) -> None:
    await world.enrolled(await world.signed_in())
    asked = await world.asked()
    with pytest.raises(ValidationError, match="not available"):
        await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    with pytest.raises(ValidationError, match="not available"):
        await world.answer(asked, "123456", method="email")
