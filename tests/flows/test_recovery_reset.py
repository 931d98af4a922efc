"""A password reset by the recovery address: for who has lost the first mailbox, and nothing to learn for the rest."""

from __future__ import annotations

from asyncio import gather

import pytest
from msgspec.structs import replace

from flows.counting import CountingCodes, CountingOutbox, CountingReads
from flows.test_recovery_email import HOME_MAIL, another, remove, subjects, with_recovery
from sekisho.errors import InvalidCode, RateLimitExceeded, ResetTokenInvalid
from sekisho.flows.password_reset import (
    CompleteReset,
    ResetAllowed,
    ResetCodeSent,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.model import Origin
from sekisho.sessions import TokenPair
from world import HANAKO, HOME, JIRO, World, a_network

pytestmark = pytest.mark.anyio

NEW = "thirteen loud crickets"
CODE, NO_ACCOUNT = "A code for a new password at Sekisho", "A new password was asked for at Sekisho"
CHANGED_THERE = "A password at Sekisho was set anew"


async def send(world: World, email: str = HANAKO, *, origin: Origin = HOME) -> ResetCodeSent:
    sent = await send_reset_code(SendResetCode(email, "en", origin), world.edge.password_reset)
    await world.mail()
    return sent


async def verify(world: World, code: str, email: str = HANAKO, *, network: int = 1) -> ResetAllowed:
    return await verify_reset_code(VerifyResetCode(email, code, a_network(network)), world.edge.password_reset)


async def complete(world: World, token: str) -> None:
    await complete_reset(CompleteReset(token, NEW, HOME), world.edge.password_reset)
    await world.mail()


@pytest.fixture
async def owner(world: World) -> TokenPair:
    return await with_recovery(world, await world.signed_in())


async def test_N_23_who_has_lost_the_first_mailbox_comes_back_by_the_second(world: World, owner: TokenPair) -> None:
    await send(world)
    await complete(world, (await verify(world, await world.code(HOME_MAIL))).reset_token)
    assert (await world.login(password=NEW)).account.id == owner.account.id
    assert await world.live_sessions(owner.account.id) != [owner.session]


async def test_N_23_the_letter_says_whose_code_it_is(world: World, owner: TokenPair) -> None:
    await with_recovery(world, await world.signed_in(JIRO))
    for email, other in ((HANAKO, JIRO), (JIRO, HANAKO)):
        await send(world, email)
        letter = (await world.mail(HOME_MAIL))[-1]
        assert letter.subject == CODE
        assert email in letter.text
        assert other not in letter.text


async def test_N_23_both_mailboxes_hold_one_code_and_it_works_once(world: World, owner: TokenPair) -> None:
    await send(world)
    first, second = await world.code(HANAKO), await world.code(HOME_MAIL)
    assert first == second
    await verify(world, first)
    with pytest.raises(InvalidCode, match="code_gone"):
        await verify(world, second)


async def test_N_23_V6_5_1_KA_070_of_fifty_who_type_it_at_once_one_wins(world: World, owner: TokenPair) -> None:
    await send(world)
    codes = [await world.code(HANAKO), await world.code(HOME_MAIL)] * 25
    answers = await gather(
        *(verify(world, code, network=number) for number, code in enumerate(codes)), return_exceptions=True
    )
    assert sum(isinstance(answer, ResetAllowed) for answer in answers) == 1
    assert {type(answer) for answer in answers} <= {ResetAllowed, InvalidCode, RateLimitExceeded}


async def test_N_23_V6_6_3_a_second_mailbox_buys_no_guesses(world: World, owner: TokenPair) -> None:
    await send(world)
    code = await world.code(HOME_MAIL)
    for step in range(1, 6):
        with pytest.raises(InvalidCode, match="wrong_code"):
            await verify(world, another(code, step), network=step)
    for mailbox in (HANAKO, HOME_MAIL):
        with pytest.raises(InvalidCode, match="code_dead"):
            await verify(world, await world.code(mailbox))


async def test_N_23_V6_4_3_a_second_factor_is_still_asked(world: World, owner: TokenPair) -> None:
    enrolled = await world.enrolled(owner)
    await send(world)
    await complete(world, (await verify(world, await world.code(HOME_MAIL))).reset_token)
    asked = await world.asked(password=NEW)
    assert (await world.answer(asked, enrolled.app.code())).session.amr == ("pwd", "otp", "mfa")


async def test_N_23_N_24_both_mailboxes_are_told_of_the_reset(world: World, owner: TokenPair) -> None:
    await send(world)
    await complete(world, (await verify(world, await world.code())).reset_token)
    assert (await subjects(world, HANAKO))[-1] == "Your password at Sekisho was changed"
    told = (await world.mail(HOME_MAIL))[-1]
    assert told.subject == CHANGED_THERE
    assert HANAKO in told.text
    assert HOME.ip in told.text
    assert "/not-me" not in told.text


async def test_N_23_V6_3_8_the_recovery_address_itself_is_an_unknown_one(world: World, owner: TokenPair) -> None:
    before = await subjects(world, HANAKO)
    assert await send(world, HOME_MAIL) == ResetCodeSent(HOME_MAIL)
    assert (await subjects(world, HOME_MAIL))[-1] == NO_ACCOUNT
    assert await subjects(world, HANAKO) == before
    for step in range(5):
        with pytest.raises(InvalidCode, match="wrong_code"):
            await verify(world, another("123456", step), HOME_MAIL)
    with pytest.raises(InvalidCode, match="code_dead"):
        await verify(world, "123456", HOME_MAIL)


async def test_N_23_V6_3_8_a_recovery_address_makes_no_difference_in_answer_or_work(
    world: World, owner: TokenPair
) -> None:
    await world.account(JIRO)
    found = []
    for email in (HANAKO, JIRO, HOME_MAIL, "unknown@mail.test"):
        codes, reads, outbox = CountingCodes(world.master), CountingReads(world.store), CountingOutbox(world.master)
        bundle = replace(world.edge.password_reset, codes=codes, store=reads, outbox=outbox)
        sent = await send_reset_code(SendResetCode(email, "en", HOME), bundle)
        with pytest.raises(InvalidCode, match="wrong_code"):
            await verify_reset_code(VerifyResetCode(email, "000000", HOME), bundle)
        found.append((sent.expires_in, codes.compared, reads.calls, outbox.sealed))
    assert found[0] == found[1] == found[2] == found[3]
    assert found[0][3] == 2


async def test_N_23_a_disabled_account_s_second_mailbox_gets_nothing(world: World, owner: TokenPair) -> None:
    await world.disable(owner.account.id)
    before = await subjects(world, HOME_MAIL)
    await send(world)
    assert await subjects(world, HOME_MAIL) == before


async def test_N_23_a_code_and_a_token_die_when_the_recovery_address_changes(world: World, owner: TokenPair) -> None:
    await send(world)
    token = (await verify(world, await world.code(HOME_MAIL))).reset_token
    await send(world)
    code = await world.code(HOME_MAIL)
    await remove(world, owner)
    with pytest.raises(InvalidCode, match="wrong_code"):
        await verify(world, code)
    with pytest.raises(ResetTokenInvalid, match="changed_meanwhile"):
        await complete(world, token)


async def test_N_23_a_removed_address_gets_no_code(world: World, owner: TokenPair) -> None:
    await remove(world, owner)
    before = await subjects(world, HOME_MAIL)
    await send(world)
    assert await subjects(world, HOME_MAIL) == before
