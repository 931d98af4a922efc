"""Withdrawal: everything ends, the person is forgotten, and only a pseudonym stays."""

from __future__ import annotations

from asyncio import gather
from typing import cast

import pytest
from msgspec.structs import replace

from flows.counting import Meanwhile
from sekisho.errors import (
    InvalidCode,
    InvalidCredentials,
    RateLimitExceeded,
    RefreshTokenInvalid,
    Refusal,
    ServiceUnavailable,
    SessionRevoked,
)
from sekisho.flows.authenticate import authenticate_bearer, authenticate_cookie
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.profile import ProfileChange, change_profile
from sekisho.flows.withdrawal import withdraw
from sekisho.model import AccountStatus, EndReason, Origin, Transport
from sekisho.outbox import MailKind
from sekisho.ports.storage import Store
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, a_network, principal_of, with_device

pytestmark = pytest.mark.anyio


async def leave(world: World, pair: TokenPair, password: str = PASSWORD, origin: Origin = HOME) -> None:
    await withdraw(password, principal_of(pair), origin, world.edge.withdrawal)


async def test_V7_4_2_KA_090_a_withdrawal_ends_every_session_at_once(world: World) -> None:
    pairs = [await world.signed_in(transport=transport) for transport in Transport]
    await leave(world, pairs[0])
    assert [await world.is_live(pair) for pair in pairs] == [False, False, False]
    for pair in pairs[:2]:
        with pytest.raises(RefreshTokenInvalid, match="session ended: withdrawal"):
            await world.refresh(pair.credential)
        with pytest.raises(SessionRevoked):
            authenticate_bearer(pair.access_token or "", world.edge.authenticate)
    with pytest.raises(SessionRevoked):
        await authenticate_cookie(pairs[2].credential, HOME, world.edge.authenticate)


async def test_KA_027_no_refresh_that_races_a_withdrawal_survives_it(world: World) -> None:
    pairs = [await world.signed_in() for _ in range(4)]
    answers = await gather(
        *(world.refresh(pair.credential) for pair in pairs), leave(world, pairs[0]), return_exceptions=True
    )
    refreshed = [answer for answer in answers if isinstance(answer, TokenPair)]
    assert await world.live_refresh_tokens(*pairs, *refreshed) == 0


async def test_the_account_is_a_pseudonym_afterwards(world: World) -> None:
    pair = await world.signed_in()
    await leave(world, pair)
    account = await world.store.find_account(pair.account.id)
    assert account is not None
    assert (account.email, account.email_key, account.name, account.password_hash) == ("", None, "", None)
    assert account.status is AccountStatus.WITHDRAWN


async def test_the_audit_trail_keeps_the_pseudonym_and_nothing_personal(world: World) -> None:
    pair = await world.signed_in()
    await leave(world, pair, origin=ELSEWHERE)
    lines = [line for line in await world.audit() if line.account_id == pair.account.id]
    assert [line.event for line in lines] == ["login", "session_ended", "withdrawal"]
    assert {(line.ip, line.user_agent, line.place, line.device) for line in lines} == {("", "", "", "")}
    assert lines[1].reason == EndReason.WITHDRAWAL


async def test_nothing_personal_is_left_in_the_files(world: World) -> None:
    browser = with_device(Origin(ip="192.0.2.77", user_agent="Netscape/4.8 (Amiga; PersonalMark)"), "d" * 32)
    pair = await world.signed_up(origin=browser)
    await change_profile(ProfileChange("Yamada Hanako", "ja"), principal_of(pair), browser, world.edge.profile)
    await world.refresh(pair.credential, origin=browser)
    await world.send_code(origin=browser)
    with pytest.raises(InvalidCredentials):
        await leave(world, pair, "wrong password", browser)
    await leave(world, pair, origin=browser)
    assert [letter.to for letter in await world.mail()] == [HANAKO] * 3
    await world.stop()
    written = world.files().lower()
    personal = (b"hanako", b"yamada", b"192.0.2.77", b"personalmark", b"$argon2")
    assert [word for word in personal if word in written] == []


@pytest.mark.parametrize("password", [PASSWORD, "wrong password"])
async def test_a_login_that_was_hashing_meanwhile_leaves_no_trace_of_the_person(world: World, password: str) -> None:
    pair = await world.signed_in()
    during = Meanwhile(world.store, lambda: leave(world, pair))
    with pytest.raises(InvalidCredentials):
        await world.login(password=password, world=replace(world.edge.login, store=cast(Store, during)))
    [line] = await world.audit("login", outcome="failure")
    assert (line.account_id, line.ip, line.user_agent) == ("", "", "")


async def test_no_audit_record_tells_which_address_the_pseudonym_had(world: World) -> None:
    pair = await world.signed_up()
    await leave(world, pair)
    assert {line.identifier_tag for line in await world.audit()} == {""}


@pytest.mark.parametrize("with_handle", [True, False])
async def test_a_stranger_s_sign_up_does_not_tell_when_the_account_left(world: World, with_handle: bool) -> None:
    pair = await world.signed_in()
    sent = await world.send_code(origin=ELSEWHERE)
    handle = sent.pending if with_handle else None

    async def answers() -> list[str]:
        resent = await world.resend_code(pending=handle, origin=ELSEWHERE)
        details = []
        for client_id in ("web", "phone"):
            with pytest.raises(Refusal) as refused:
                await world.verify_code("123456", pending=handle, client_id=client_id, origin=ELSEWHERE)
            details.append(f"{refused.value.code} {refused.value.detail}")
        return [resent.pending, resent.email, *details]

    before = await answers()
    await leave(world, pair)
    letters = len(await world.mail())
    assert await answers() == before
    assert len(await world.mail()) == letters


async def test_no_sign_up_from_before_finishes_after_the_withdrawal(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    await leave(world, await world.signed_in())
    with pytest.raises(InvalidCode, match="decoy"):
        await world.verify_code(code, pending=sent.pending)
    new = await world.signed_up()
    assert await world.is_live(new)


async def test_letters_that_wait_are_sealed(world: World) -> None:
    due_at, address = world.now + 3_600_000, "nowhere-in-the-clear@mail.test"
    outbox = world.edge.withdrawal.outbox
    await world.store.apply(outbox.letter(MailKind.ACCOUNT_WITHDRAWN, to=address, locale="en", now=due_at))
    assert await world.store.next_mail_at() == due_at
    await world.stop()
    assert b"nowhere-in-the-clear" not in world.files()


async def test_the_owner_gets_a_last_letter(world: World) -> None:
    await leave(world, await world.signed_in())
    assert [letter.subject for letter in await world.mail(HANAKO)] == ["Your account at Sekisho is closed"]


async def test_the_address_is_free_again_and_gives_a_new_account(world: World) -> None:
    old = await world.signed_up()
    await leave(world, old)
    new = await world.signed_up()
    assert new.account.id != old.account.id
    assert not await world.is_live(old)


async def test_who_left_cannot_log_in(world: World) -> None:
    await leave(world, await world.signed_in())
    with pytest.raises(InvalidCredentials, match="unknown_account"):
        await world.login()


async def test_a_wrong_password_changes_nothing_and_has_one_audit_record(world: World) -> None:
    pair = await world.signed_in()
    with pytest.raises(InvalidCredentials):
        await leave(world, pair, "wrong password")
    assert await world.is_live(pair)
    [line] = await world.audit("withdrawal")
    assert (line.outcome, line.reason, line.session_id) == ("failure", "wrong_password", pair.session.id)


async def test_six_wrong_passwords_in_five_minutes_are_too_many(world: World) -> None:
    pair = await world.signed_in()
    answers = await gather(*(leave(world, pair, "wrong password") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, InvalidCredentials) for answer in answers) == 5
    with pytest.raises(RateLimitExceeded):
        await leave(world, pair)
    world.clock.advance(minutes=5)
    await leave(world, pair)


async def test_wrong_passwords_from_many_networks_have_to_wait_longer_and_longer(world: World) -> None:
    pair = await world.signed_in()
    guesses = (leave(world, pair, "wrong password", a_network(number)) for number in range(25))
    answers = await gather(*guesses, return_exceptions=True)
    assert sum(isinstance(answer, InvalidCredentials) for answer in answers) == 20
    with pytest.raises(RateLimitExceeded) as refused:
        await leave(world, pair, origin=a_network(25))
    assert refused.value.retry_after == 30
    world.clock.advance(seconds=30)
    await leave(world, pair, origin=a_network(26))


async def test_a_withdrawal_that_was_hashing_while_the_account_was_disabled_erases_nothing(world: World) -> None:
    pair = await world.signed_in()
    during = Meanwhile(world.store, lambda: world.disable(pair.account.id))
    bundle = replace(world.edge.withdrawal, store=cast(Store, during))
    with pytest.raises(SessionRevoked, match="security_version"):
        await withdraw(PASSWORD, principal_of(pair), HOME, bundle)
    account = await world.store.find_account(pair.account.id)
    assert account is not None
    assert account.email == HANAKO
    assert await world.mail() == []


async def test_a_withdrawal_that_a_change_of_the_password_overtook_ends_no_session(world: World) -> None:
    pair = await world.signed_in()
    change = PasswordChange(current_password=PASSWORD, password="nine loud crickets")
    during = Meanwhile(
        world.store, lambda: change_password(change, principal_of(pair), HOME, world.edge.password_change)
    )
    bundle = replace(world.edge.withdrawal, store=cast(Store, during))
    with pytest.raises(ServiceUnavailable, match="security_version"):
        await withdraw(PASSWORD, principal_of(pair), HOME, bundle)
    assert await world.live_refresh_tokens(pair) == 1


async def test_racing_withdrawals_leave_once(world: World) -> None:
    pair = await world.signed_in()
    answers = await gather(*(leave(world, pair) for _ in range(3)), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 1
    assert len(await world.audit("withdrawal", outcome="success")) == 1
    assert len(await world.mail(HANAKO)) == 1


async def test_nobody_else_is_touched(world: World) -> None:
    mine, others = await world.signed_in(), await world.signed_in("jiro@mail.test", origin=ELSEWHERE)
    await leave(world, mine)
    assert await world.live_refresh_tokens(others) == 1
    assert [line.ip for line in await world.audit("login") if line.account_id == others.account.id] == [ELSEWHERE.ip]
