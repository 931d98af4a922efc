"""The recovery address: it counts once its mailbox has answered, it opens a reset and nothing else, all are told."""

from __future__ import annotations

import re
from asyncio import gather

import pytest
from msgspec.structs import asdict, replace

from flows.counting import Meanwhile
from sekisho.admin.recovery_email import remove_recovery_email as remove_as_operator
from sekisho.errors import (
    InvalidCode,
    InvalidCredentials,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    SessionRevoked,
    StepUpRequired,
    ValidationError,
)
from sekisho.flows.email_change import SendEmailCode, VerifyEmailCode, send_email_code, verify_email_code
from sekisho.flows.not_me import NotMe, not_me
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.recovery_email import (
    RecoveryEmailCodeSent,
    SendRecoveryEmailCode,
    VerifyRecoveryEmailCode,
    read_recovery_email,
    remove_recovery_email,
    send_recovery_email_code,
    verify_recovery_email_code,
)
from sekisho.flows.withdrawal import withdraw
from sekisho.model import RecoveryEmail
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, JIRO, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio

HOME_MAIL = "hanako.home@other.test"
NEWER = "hanako.newer@other.test"
HERE, GONE = "This is now a recovery address at Sekisho", "This is no longer a recovery address at Sekisho"
SET, REMOVED = (
    "Your account at Sekisho has a new recovery address",
    "The recovery address of your account at Sekisho was removed",
)


async def send(
    world: World, pair: TokenPair, email: str = HOME_MAIL, password: str = PASSWORD
) -> RecoveryEmailCodeSent:
    request = SendRecoveryEmailCode(email, password, HOME)
    return await send_recovery_email_code(request, principal_of(pair), world.edge.recovery_email)


async def verify(world: World, pair: TokenPair, code: str, email: str = HOME_MAIL, network: int = 1) -> RecoveryEmail:
    request = VerifyRecoveryEmailCode(email, code, a_network(network))
    return await verify_recovery_email_code(request, principal_of(pair), world.edge.recovery_email)


async def remove(world: World, pair: TokenPair) -> None:
    await remove_recovery_email(principal_of(pair), HOME, world.edge.recovery_email)
    await world.mail()


async def read(world: World, pair: TokenPair) -> str | None:
    found = await read_recovery_email(principal_of(pair), world.edge.recovery_email)
    return found.email if found else None


async def with_recovery(world: World, pair: TokenPair, email: str = HOME_MAIL) -> TokenPair:
    await send(world, pair, email)
    await verify(world, pair, await world.code(email), email)
    await world.mail()  # Letters of one commit come in any order, those of the next after them.
    return pair


async def subjects(world: World, to: str) -> list[str]:
    return [letter.subject for letter in await world.mail(to)]


def not_me_code_in(text: str) -> str:
    return re.findall(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}", text)[0]


def another(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


async def test_N_23_a_recovery_address_counts_after_its_code_and_not_before(world: World) -> None:
    pair = await world.signed_in()
    assert await send(world, pair) == RecoveryEmailCodeSent(HOME_MAIL, 600)
    assert await read(world, pair) is None
    taken = await verify(world, pair, await world.code(HOME_MAIL))
    assert (taken.email, taken.email_key, taken.verified_at) == (HOME_MAIL, HOME_MAIL, world.now)
    assert await read(world, pair) == HOME_MAIL


async def test_N_23_N_24_both_mailboxes_and_the_one_before_are_told_of_each_change(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    assert await subjects(world, HANAKO) == [SET]
    assert (await subjects(world, HOME_MAIL))[-1] == HERE
    await with_recovery(world, pair, NEWER)
    await remove(world, pair)
    assert await subjects(world, HANAKO) == [SET, SET, REMOVED]
    assert (await subjects(world, HOME_MAIL))[1:] == [HERE, GONE]
    assert (await subjects(world, NEWER))[1:] == [HERE, GONE]
    for letter in await world.mail(HANAKO):
        assert any(address in letter.text for address in (HOME_MAIL, NEWER))
        assert HOME.ip in letter.text or a_network(1).ip in letter.text
    for letter in (await world.mail(NEWER))[1:]:
        assert HANAKO in letter.text
        assert HOME.ip not in letter.text


async def test_it_is_no_way_in_and_nobody_is_found_by_it(world: World) -> None:
    await with_recovery(world, await world.signed_in())
    with pytest.raises(InvalidCredentials):
        await world.login(HOME_MAIL)
    assert (await world.signed_up(HOME_MAIL)).account.email == HOME_MAIL


async def test_accounts_may_share_one_and_it_may_be_another_s_own_address(world: World) -> None:
    await world.account(JIRO)
    for owner in (HANAKO, "ren@mail.test"):
        pair = await with_recovery(world, await world.signed_in(owner), JIRO)
        assert await read(world, pair) == JIRO
    assert not any("no account" in letter.text for letter in await world.mail(JIRO))


@pytest.mark.parametrize(
    ("email", "reason"),
    [("no address", "invalid_email"), (HANAKO.upper(), "own_address"), (HOME_MAIL.upper(), "unchanged")],
)
async def test_what_is_no_second_address_is_refused_by_its_form(world: World, email: str, reason: str) -> None:
    pair = await with_recovery(world, await world.signed_in())
    with pytest.raises(ValidationError) as refused:
        await send(world, pair, email)
    assert refused.value.details == {"email": reason}


async def test_N_23_V6_2_3_without_the_password_no_mail_goes_out(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await send(world, pair, password="not this one")
    with pytest.raises(RateLimitExceeded):
        await send(world, pair)
    assert await world.mail() == []
    assert len(await world.audit("recovery_email_code_sent", outcome="failure")) == 5


async def test_V7_5_1_removing_wants_a_fresh_proof(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    world.clock.advance(minutes=60)
    with pytest.raises(StepUpRequired):
        await remove(world, pair)
    await remove(world, await world.signed_in())
    assert await read(world, pair) is None


async def test_V7_5_1_a_second_factor_must_be_fresh_to_set_one(world: World) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    world.clock.advance(minutes=60)
    with pytest.raises(StepUpRequired):
        await send(world, pair)
    assert await subjects(world, HOME_MAIL) == []


async def test_what_is_not_there_is_not_removed(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(NotFound):
        await remove(world, pair)
    assert await world.audit("recovery_email_removed") == []


async def test_a_change_of_credentials_meanwhile_stops_the_removal(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    other = await world.signed_in()
    wanted = PasswordChange(current_password=PASSWORD, password="thirteen loud crickets", keep_other_sessions=True)
    during = Meanwhile(
        world.store, lambda: change_password(wanted, principal_of(other), HOME, world.edge.password_change)
    )
    bundle = replace(world.edge.recovery_email, store=during)
    with pytest.raises(ServiceUnavailable):
        await remove_recovery_email(principal_of(pair), HOME, bundle)
    assert await world.store.find_recovery_email(pair.account.id) is not None


async def test_V6_6_2_a_code_belongs_to_one_account_and_one_address(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in(JIRO)
    await send(world, pair)
    code = await world.code(HOME_MAIL)
    with pytest.raises(InvalidCode, match="code_gone"):
        await verify(world, other, code)
    with pytest.raises(InvalidCode, match="wrong_code"):
        await verify(world, pair, code, NEWER)
    await verify(world, pair, code)
    with pytest.raises(InvalidCode, match="code_gone"):
        await verify(world, pair, code)


async def test_N_23_V6_6_3_five_wrong_tries_kill_the_code(world: World) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(HOME_MAIL)
    for step in range(1, 6):
        with pytest.raises(InvalidCode, match="wrong_code"):
            await verify(world, pair, another(code, step), network=step)
    with pytest.raises(InvalidCode, match="code_dead"):
        await verify(world, pair, code)
    assert await read(world, pair) is None
    assert len(await world.audit("recovery_email_set", outcome="failure")) == 6


async def test_N_23_V6_5_1_KA_070_of_fifty_right_codes_at_once_one_wins(world: World) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(HOME_MAIL)
    answers = await gather(*(verify(world, pair, code, network=number) for number in range(50)), return_exceptions=True)
    assert sum(isinstance(answer, RecoveryEmail) for answer in answers) == 1
    assert len(await world.audit("recovery_email_set", outcome="success")) == 1
    assert await subjects(world, HANAKO) == [SET]


@pytest.mark.parametrize("change", ["password", "withdrawn", "time"])
async def test_a_code_dies_with_its_time_and_with_any_change_of_the_account(world: World, change: str) -> None:
    pair = await world.signed_in()
    await send(world, pair)
    code = await world.code(HOME_MAIL)
    if change == "password":
        wanted = PasswordChange(current_password=PASSWORD, password="thirteen loud crickets")
        await change_password(wanted, principal_of(pair), HOME, world.edge.password_change)
    elif change == "withdrawn":
        await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    else:
        world.clock.advance(minutes=10)
    with pytest.raises(SessionRevoked if change == "withdrawn" else InvalidCode):
        await verify(world, pair, code)


async def test_sessions_go_on_and_what_was_decided_on_before_does_not(world: World) -> None:
    pair, other = await world.signed_in(), await world.signed_in(origin=ELSEWHERE)
    before = pair.account.security_version
    await with_recovery(world, pair)
    assert [await world.is_live(each) for each in (pair, other)] == [True, True]
    after = await world.store.find_account(pair.account.id)
    assert after is not None
    assert after.security_version == before + 1


async def test_a_withdrawal_erases_it(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    assert await world.store.find_recovery_email(pair.account.id) is None


async def test_a_change_of_address_is_told_there_and_its_own_address_is_no_second_one(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    for email in (NEWER, HOME_MAIL):
        before = len(await world.mail(HOME_MAIL))
        await send_email_code(SendEmailCode(email, PASSWORD, HOME), principal_of(pair), world.edge.email_change)
        request = VerifyEmailCode(email, await world.code(email), HOME)
        await verify_email_code(request, principal_of(pair), world.edge.email_change)
        told = [letter for letter in (await world.mail(HOME_MAIL))[before:] if "was changed" in letter.subject]
        assert len(told) == 1
        assert email in told[0].text
    assert await read(world, pair) is None


async def test_N_23_who_says_not_me_takes_away_the_address_that_an_intruder_set(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in(), "thief@other.test")
    code = not_me_code_in((await world.mail(HANAKO))[-1].text)
    await not_me(NotMe(HANAKO, code, HOME), world.edge.not_me)
    assert await world.store.find_recovery_email(pair.account.id) is None
    assert (await subjects(world, "thief@other.test"))[-1] == GONE
    [line] = await world.audit("recovery_email_removed")
    assert (line.account_id, line.actor, line.ip) == (pair.account.id, "account", "")


async def test_not_me_of_who_has_none_says_nothing_of_one(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    await remove(world, pair)
    code = not_me_code_in((await world.mail(HANAKO))[-1].text)
    await not_me(NotMe(HANAKO, code, HOME), world.edge.not_me)
    assert len(await world.audit("recovery_email_removed")) == 1


async def test_N_23_not_me_from_a_former_address_leaves_the_way_back(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    thief = principal_of(await world.signed_in(origin=ELSEWHERE))
    await send_email_code(SendEmailCode("thief@other.test", PASSWORD, HOME), thief, world.edge.email_change)
    request = VerifyEmailCode("thief@other.test", await world.code("thief@other.test"), HOME)
    await verify_email_code(request, thief, world.edge.email_change)
    code = not_me_code_in((await world.mail(HANAKO))[-1].text)
    assert (await not_me(NotMe(HANAKO, code, HOME), world.edge.not_me)).by_former_address
    assert await read(world, pair) == HOME_MAIL
    assert await world.audit("recovery_email_removed") == []


async def test_N_24_an_operator_removes_it_and_both_mailboxes_are_told(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    account, before = await remove_as_operator(HANAKO, world.operator())
    assert (account.id, before.email) == (pair.account.id, HOME_MAIL)
    assert (await subjects(world, HANAKO))[-1] == REMOVED
    assert (await subjects(world, HOME_MAIL))[-1] == GONE
    [line] = await world.audit("recovery_email_removed")
    assert line.actor == "operator"
    assert await world.is_live(pair)
    with pytest.raises(NotFound):
        await remove_as_operator(HANAKO, world.operator())


async def test_an_operator_removes_it_from_a_disabled_account_too(world: World) -> None:
    pair = await with_recovery(world, await world.signed_in())
    await world.disable(pair.account.id)
    await remove_as_operator(pair.account.id, world.operator())
    assert await world.store.find_recovery_email(pair.account.id) is None


async def test_no_record_of_the_trail_holds_an_address(world: World) -> None:
    await remove(world, await with_recovery(world, await world.signed_in()))
    lines = [str(asdict(line)) for line in await world.audit()]
    assert len(lines) >= 4
    assert not any(address in line for line in lines for address in (HOME_MAIL, HANAKO))
