"""Address change: the new address counts once its mailbox has answered, and nobody learns whose it is."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.errors import InvalidCode, InvalidCredentials, RateLimitExceeded, SessionRevoked, ValidationError
from sekisho.flows.email_change import (
    EmailCodeSent,
    SendEmailCode,
    VerifyEmailCode,
    send_email_code,
    verify_email_code,
)
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.withdrawal import withdraw
from sekisho.model import Account, EndReason
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio

NEW = "hanako.new@mail.test"
OTHER = "ren@mail.test"


async def send(world: World, pair: TokenPair, email: str = NEW, password: str = PASSWORD) -> EmailCodeSent:
    return await send_email_code(SendEmailCode(email, password, HOME), principal_of(pair), world.edge.email_change)


async def verify(world: World, pair: TokenPair, code: str, email: str = NEW, network: int = 1) -> Account:
    request = VerifyEmailCode(email, code, a_network(network))
    return await verify_email_code(request, principal_of(pair), world.edge.email_change)


def another(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


async def test_the_new_address_counts_after_its_code_and_not_before(world: World) -> None:
    pair = await world.signed_in()
    assert await send(world, pair) == EmailCodeSent(NEW, 600)
    await world.login()
    changed = await verify(world, pair, await world.code(NEW))
    assert (changed.id, changed.email, changed.email_key, changed.is_verified) == (pair.account.id, NEW, NEW, True)
    assert (await world.login(NEW)).account.id == pair.account.id
    with pytest.raises(InvalidCredentials):
        await world.login(HANAKO)


async def test_V6_3_7_both_addresses_are_told_and_the_other_sessions_end(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in(origin=ELSEWHERE)
    await send(world, pair)
    await verify(world, pair, await world.code(NEW))
    assert [await world.is_live(each) for each in (pair, other)] == [True, False]
    assert (await world.session(other)).end_reason == EndReason.EMAIL_CHANGED
    for address in (HANAKO, NEW):
        letter = (await world.mail(address))[-1]
        assert letter.subject == "The address of your account at Sekisho was changed"
        assert NEW in letter.text


async def test_V6_3_8_a_taken_address_answers_alike_and_its_owner_is_told(world: World) -> None:
    owner = await world.account(OTHER)
    pair = await world.signed_in()
    assert await send(world, pair, OTHER) == EmailCodeSent(OTHER)
    [letter] = await world.mail(OTHER)
    assert letter.subject == "Somebody wants to use your address at Sekisho"
    for step in range(5):
        with pytest.raises(InvalidCode, match="wrong_code"):
            await verify(world, pair, another("123456", step), OTHER)
    with pytest.raises(InvalidCode, match="code_dead"):
        await verify(world, pair, "123456", OTHER)
    assert (await world.login(OTHER)).account.id == owner.id


async def test_an_address_that_is_taken_meanwhile_is_refused_like_a_wrong_code(world: World) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(NEW)
    await world.account(NEW)
    with pytest.raises(InvalidCode, match="email_taken"):
        await verify(world, pair, code)
    assert (await world.login()).account.id == pair.account.id


async def test_of_two_accounts_that_take_one_address_one_gets_it(world: World) -> None:
    pairs = [await world.signed_in(), await world.signed_in(OTHER)]
    codes = []
    for pair in pairs:
        await send(world, pair)
        codes.append(await world.code(NEW))
    answers = await gather(
        *(verify(world, pair, code) for pair, code in zip(pairs, codes, strict=True)), return_exceptions=True
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["Account", "InvalidCode"]


async def test_V6_6_2_a_code_belongs_to_one_account_and_one_address(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in(OTHER)
    await send(world, pair)
    code = await world.code(NEW)
    with pytest.raises(InvalidCode, match="code_gone"):
        await verify(world, other, code)
    with pytest.raises(InvalidCode, match="wrong_code"):
        await verify(world, pair, code, "elsewhere@mail.test")
    await verify(world, pair, code)


async def test_V6_5_1_KA_070_of_fifty_right_codes_at_once_one_wins(world: World) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(NEW)
    answers = await gather(*(verify(world, pair, code, network=number) for number in range(50)), return_exceptions=True)
    assert sum(isinstance(answer, Account) for answer in answers) == 1
    assert len(await world.audit("email_change", outcome="success")) == 1


async def test_V6_2_3_without_the_password_no_mail_goes_out(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await send(world, pair, password="not this one")
    with pytest.raises(RateLimitExceeded):
        await send(world, pair)
    assert await world.mail() == []


@pytest.mark.parametrize(("email", "reason"), [("no address", "invalid_email"), (HANAKO.upper(), "unchanged")])
async def test_an_address_that_is_none_or_the_own_one_is_refused_by_its_form(
    world: World, email: str, reason: str
) -> None:
    pair = await world.signed_in()
    with pytest.raises(ValidationError) as refused:
        await send(world, pair, email)
    assert refused.value.details == {"email": reason}


@pytest.mark.parametrize("change", ["password", "withdrawn", "time"])
async def test_a_code_dies_with_its_time_and_with_any_change_of_the_account(world: World, change: str) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(NEW)
    if change == "password":
        wanted = PasswordChange(current_password=PASSWORD, password="thirteen loud crickets")
        await change_password(wanted, principal_of(pair), HOME, world.edge.password_change)
    elif change == "withdrawn":
        await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    else:
        world.clock.advance(minutes=10)
    with pytest.raises(SessionRevoked if change == "withdrawn" else InvalidCode):
        await verify(world, pair, code)


async def test_a_stranger_s_sign_up_of_the_new_address_cannot_finish_afterwards(world: World) -> None:
    pair = await world.signed_in()
    sent = await world.send_code(NEW)
    sign_up_code = await world.code(NEW)
    world.clock.advance(minutes=6)
    await send(world, pair)
    await verify(world, pair, await world.code(NEW))
    with pytest.raises(InvalidCode):
        await world.verify_code(sign_up_code, NEW, pending=sent.pending)


async def test_the_old_address_is_free_again(world: World) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    await verify(world, pair, await world.code(NEW))
    new = await world.signed_up(HANAKO)
    assert new.account.id != pair.account.id
