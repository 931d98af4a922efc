"""Password reset: for who reads the mail of the account, and nothing to learn or to win for anybody else."""

from __future__ import annotations

from asyncio import gather
from collections.abc import Awaitable

import pytest
from msgspec.structs import replace

from flows.counting import CountingCodes, CountingHashPool, Meanwhile
from sekisho.errors import (
    InvalidCode,
    InvalidCredentials,
    RateLimitExceeded,
    ResetTokenInvalid,
    ServiceUnavailable,
    ValidationError,
)
from sekisho.flows.password_reset import (
    CompleteReset,
    PasswordResetWorld,
    ResetAllowed,
    ResetCodeSent,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.flows.withdrawal import withdraw
from sekisho.model import AccountStatus, EndReason, Origin
from sekisho.ports.changes import AddAccount
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio

NEW = "thirteen loud crickets"
CODE_LETTER = "Your code for a new password at Sekisho"
NOBODY_LETTER = "A new password was asked for at Sekisho"
CHANGED_LETTER = "Your password at Sekisho was changed"


async def send(world: World, email: str = HANAKO, *, locale: str = "en", origin: Origin = HOME) -> ResetCodeSent:
    return await send_reset_code(SendResetCode(email, locale, origin), world.edge.password_reset)


async def verify(
    world: World,
    code: str,
    email: str = HANAKO,
    *,
    origin: Origin = HOME,
    bundle: PasswordResetWorld | None = None,
) -> ResetAllowed:
    return await verify_reset_code(VerifyResetCode(email, code, origin), bundle or world.edge.password_reset)


async def complete(world: World, token: str, password: str = NEW, *, bundle: PasswordResetWorld | None = None) -> None:
    await complete_reset(CompleteReset(token, password, HOME), bundle or world.edge.password_reset)


async def token_of(world: World, email: str = HANAKO) -> str:
    await send(world, email)
    return (await verify(world, await world.code(email), email)).reset_token


def another(code: str, step: int = 1) -> str:
    return f"{(int(code) + step) % 1_000_000:06d}"


async def is_refused(call: Awaitable[object], kind: type[Exception], detail: str = "") -> None:
    with pytest.raises(kind, match=detail or None):
        await call


async def test_a_mailed_code_sets_a_new_password_and_the_old_one_is_worth_nothing(world: World) -> None:
    await world.account()
    sent = await send(world)
    assert (sent.email, sent.expires_in) == (HANAKO, 600)
    allowed = await verify(world, await world.code())
    assert allowed.expires_in == 600
    await complete(world, allowed.reset_token)
    await is_refused(world.login(), InvalidCredentials)
    assert (await world.login(password=NEW)).account.email == HANAKO


async def test_V7_4_3_every_session_ends_with_the_reset_and_none_starts(world: World) -> None:
    pairs = [await world.signed_in(), await world.signed_in(origin=ELSEWHERE)]
    await complete(world, await token_of(world))
    rows = [await world.session(pair) for pair in pairs]
    assert [row.end_reason for row in rows] == [EndReason.PASSWORD_CHANGED] * 2
    assert await world.live_sessions(pairs[0].account.id) == []


async def test_V6_4_3_a_second_factor_is_still_asked_after_a_reset(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    await complete(world, await token_of(world))
    world.clock.advance(seconds=30)
    asked = await world.asked(password=NEW)
    assert (await world.answer(asked, enrolled.app.code())).session.amr == ("pwd", "otp", "mfa")


async def test_V6_3_7_the_owner_is_told_by_mail_where_from(world: World) -> None:
    await world.account()
    await complete(world, await token_of(world))
    told = (await world.mail(HANAKO))[-1]
    assert told.subject == CHANGED_LETTER
    assert "Firefox" in told.text
    assert HOME.ip in told.text


async def test_V6_5_5_a_code_lives_for_ten_minutes(world: World) -> None:
    await world.account()
    await send(world)
    code = await world.code()
    world.clock.advance(minutes=10)
    await is_refused(verify(world, code), InvalidCode, "code_gone")
    await send(world)
    code = await world.code()
    world.clock.advance(minutes=10, seconds=-0.001)
    await verify(world, code)


async def test_V6_5_5_a_reset_token_lives_for_ten_minutes(world: World) -> None:
    await world.account()
    token = await token_of(world)
    world.clock.advance(minutes=10)
    await is_refused(complete(world, token), ResetTokenInvalid, "code_gone")
    token = await token_of(world)
    world.clock.advance(minutes=10, seconds=-0.001)
    await complete(world, token)


async def test_V6_5_1_KA_070_of_fifty_right_codes_at_once_one_wins(world: World) -> None:
    await world.account()
    await send(world)
    code = await world.code()
    answers = await gather(
        *(verify(world, code, origin=a_network(number)) for number in range(50)), return_exceptions=True
    )
    won = [answer for answer in answers if isinstance(answer, ResetAllowed)]
    assert len(won) == 1
    assert {type(answer) for answer in answers if answer not in won} <= {InvalidCode, RateLimitExceeded}


async def test_V6_5_1_a_reset_token_sets_one_password(world: World) -> None:
    account = await world.account()
    token = await token_of(world)
    passwords = [f"{number} thirteen loud crickets" for number in range(8)]
    answers = await gather(*(complete(world, token, password) for password in passwords), return_exceptions=True)
    winners = [password for password, answer in zip(passwords, answers, strict=True) if answer is None]
    assert len(winners) == 1
    assert {type(answer) for answer in answers if answer is not None} == {ResetTokenInvalid}
    await is_refused(complete(world, token), ResetTokenInvalid)
    assert (await world.login(password=winners[0])).account.id == account.id


async def test_V6_6_3_five_wrong_tries_kill_the_code(world: World) -> None:
    await world.account()
    await send(world)
    code = await world.code()
    for step in range(1, 6):
        await is_refused(verify(world, another(code, step), origin=a_network(step)), InvalidCode, "wrong_code")
    await is_refused(verify(world, code), InvalidCode, "code_dead")


async def test_V6_6_3_a_new_code_buys_no_guesses_beyond_twenty_a_day(world: World) -> None:
    await world.account()
    compared = 0
    for _ in range(6):
        await send(world)
        code = await world.code()
        for step in range(1, 6):
            try:
                await verify(world, another(code, step), origin=a_network(step))
            except InvalidCode:
                compared += 1
            except RateLimitExceeded:
                pass
        world.clock.advance(minutes=6)
    assert compared == 20


async def test_a_newer_code_kills_the_older(world: World) -> None:
    await world.account()
    await send(world)
    older = await world.code()
    await send(world)
    newer = await world.code()
    if older != newer:
        await is_refused(verify(world, older), InvalidCode, "wrong_code")
    await verify(world, newer)


async def test_V6_6_3_three_codes_in_five_minutes_and_ten_a_day_for_an_address(world: World) -> None:
    for _ in range(3):
        await send(world, origin=a_network(1))
    await is_refused(send(world, origin=a_network(2)), RateLimitExceeded)
    for number in range(7):
        world.clock.advance(minutes=6)
        await send(world, origin=a_network(number))
    world.clock.advance(minutes=6)
    await is_refused(send(world), RateLimitExceeded)


async def kinds_of_nobody(world: World) -> list[str]:
    """Return addresses that may not reset: unknown, disabled, withdrawn, never verified and without a password."""
    await world.disable((await world.account("asleep@mail.test")).id)
    await withdraw(PASSWORD, principal_of(await world.signed_in("gone@mail.test")), HOME, world.edge.withdrawal)
    claimed = await world.account("template@mail.test", password_hash=None)
    await world.store.apply(
        AddAccount(
            account=replace(
                claimed, id="A" * 22, email="claimed@mail.test", email_key="claimed@mail.test", is_verified=False
            )
        )
    )
    return ["unknown@mail.test", "asleep@mail.test", "gone@mail.test", "claimed@mail.test"]


async def test_V6_3_8_who_may_not_reset_gets_the_same_answers_and_a_letter_that_says_so(world: World) -> None:
    for number, email in enumerate(await kinds_of_nobody(world)):
        before = len(await world.mail(email))
        assert await send(world, email, origin=a_network(number)) == ResetCodeSent(email)
        [letter] = (await world.mail(email))[before:]
        assert letter.subject == NOBODY_LETTER
        for step in range(5):
            await is_refused(verify(world, another("123456", step), email), InvalidCode, "wrong_code")
        await is_refused(verify(world, "123456", email), InvalidCode, "code_dead")


async def test_V6_3_8_both_kinds_of_address_cost_the_same_steps(world: World) -> None:
    await world.account()
    found = []
    for email in (HANAKO, "unknown@mail.test"):
        codes = CountingCodes(world.master)
        bundle = replace(world.edge.password_reset, codes=codes)
        before = len(await world.audit()), len(await world.mail())
        await send_reset_code(SendResetCode(email, "en", HOME), bundle)
        await is_refused(verify(world, "000000", email, bundle=bundle), InvalidCode)
        found.append((codes.compared, len(await world.audit()) - before[0], len(await world.mail()) - before[1]))
    assert found[0] == found[1] == (1, 2, 1)


async def test_an_account_without_a_password_gets_one_if_its_address_is_verified(world: World) -> None:
    account = await world.account(password_hash=None)
    await complete(world, await token_of(world))
    assert (await world.login(password=NEW)).account.id == account.id


async def test_a_refused_password_leaves_the_token_good(world: World) -> None:
    await world.account(name="Natsume Souseki")
    token = await token_of(world)
    for password in ("short", "password123", HANAKO, "NatsumeSouseki!") * 5:
        await is_refused(complete(world, token, password), ValidationError)
    await complete(world, token)


async def test_a_token_outlives_a_busy_server_but_pays_for_ten_hashes_at_most(world: World) -> None:
    class BusyHashPool(CountingHashPool):
        async def hash(self, password: str) -> str:
            self.hashed += 1
            raise ServiceUnavailable(retry_after=1)

    await world.account()
    token = await token_of(world)
    busy = BusyHashPool()
    bundle = replace(world.edge.password_reset, passwords=busy)
    for _ in range(9):
        await is_refused(complete(world, token, bundle=bundle), ServiceUnavailable)
    await complete(world, token)
    token = await token_of(world)
    for _ in range(10):
        await is_refused(complete(world, token, bundle=bundle), ServiceUnavailable)
    await is_refused(complete(world, token, bundle=bundle), ResetTokenInvalid, "code_dead")
    assert busy.hashed == 19


@pytest.mark.parametrize("change", ["password", "disabled", "withdrawn"])
async def test_a_token_dies_with_any_change_of_the_account(world: World, change: str) -> None:
    pair = await world.signed_in()
    token = await token_of(world)
    if change == "password":
        await complete(world, await token_of(world), "fourteen soft owls")
    elif change == "disabled":
        await world.disable(pair.account.id)
    else:
        await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    await is_refused(complete(world, token), ResetTokenInvalid, "changed_meanwhile")


async def test_a_withdrawal_while_the_password_is_hashed_wins_and_leaves_no_trace(world: World) -> None:
    pair = await world.signed_in()
    token = await token_of(world)
    during = Meanwhile(world.store, lambda: withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal))
    bundle = replace(world.edge.password_reset, store=during)
    await is_refused(complete(world, token, bundle=bundle), ResetTokenInvalid, "changed_meanwhile")
    account = await world.store.find_account(pair.account.id)
    assert account is not None
    assert (account.status, account.password_hash) == (AccountStatus.WITHDRAWN, None)
    [line] = await world.audit("password_reset")
    assert (line.ip, line.user_agent) == ("", "")


async def test_a_code_is_worth_nothing_to_the_next_owner_of_the_address(world: World) -> None:
    pair = await world.signed_in()
    await send(world)
    code = await world.code()
    await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    await world.account()
    await is_refused(verify(world, code), InvalidCode, "wrong_code")


@pytest.mark.parametrize("damage", ["", "skp_", "skr_" + "A" * 120, "A" * 8000])
async def test_a_forged_token_costs_no_store_operation(world: World, damage: str) -> None:
    bundle = replace(world.edge.password_reset, store=None)  # type: ignore[arg-type]
    await is_refused(complete(world, damage, bundle=bundle), ResetTokenInvalid)
    await world.account()
    token = await token_of(world)
    for place in (4, 40, len(token) - 2):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        await is_refused(complete(world, other, bundle=bundle), ResetTokenInvalid)


async def test_who_was_throttled_may_log_in_at_once_with_the_new_password(world: World) -> None:
    await world.account()
    for _ in range(5):
        await is_refused(world.login(password="wrong one"), InvalidCredentials)
    await is_refused(world.login(), RateLimitExceeded)
    await complete(world, await token_of(world))
    await world.login(password=NEW)


async def test_the_audit_trail_tells_the_story_and_no_secret(world: World) -> None:
    account = await world.account()
    await send(world)
    code = await world.code()
    await is_refused(verify(world, another(code)), InvalidCode)
    token = (await verify(world, code)).reset_token
    await complete(world, token)
    await is_refused(complete(world, token), ResetTokenInvalid)
    lines = await world.audit()
    assert [(line.event, line.outcome, line.reason) for line in lines] == [
        ("password_reset_code_sent", "success", ""),
        ("password_reset_code", "failure", "wrong_code"),
        ("password_reset_code", "success", ""),
        ("password_reset", "success", ""),
        ("password_reset", "failure", "changed_meanwhile"),
    ]
    assert [line.account_id for line in lines] == ["", "", "", account.id, account.id]
    trail = "\n".join(map(str, lines))
    assert [secret for secret in (token, f"'{code}'", HANAKO, NEW) if secret in trail] == []


async def test_the_files_hold_no_code_and_no_token(world: World) -> None:
    await world.account()
    await send(world)
    code = await world.code()
    token = (await verify(world, code)).reset_token
    await world.stop()
    written = world.files()
    assert token.encode() not in written
    assert f"{code}".encode() not in written
