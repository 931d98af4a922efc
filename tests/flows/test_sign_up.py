"""Sign-up: the way in for the owner of an address, and nothing to learn or to guess for anybody else."""

from __future__ import annotations

from asyncio import gather
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from flows.counting import CountingCodes, CountingHashPool
from sekisho.errors import (
    ClientIdMismatch,
    EmailAlreadyExists,
    InvalidCode,
    RateLimitExceeded,
    Refusal,
    SessionNotFound,
    ValidationError,
)
from sekisho.flows.sign_up import SendCode, VerifyCode, send_code, verify_code
from sekisho.model import EndReason, Transport
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, WorldWith, a_network

pytestmark = pytest.mark.anyio

OWNER_LETTER = "You already have an account at Sekisho"
CODE_LETTER = "Your code to sign up for Sekisho"


def another(code: str, step: int = 1) -> str:
    """Return a code that is not this one; a different one for every step below a million."""
    return f"{(int(code) + step) % 1_000_000:06d}"


async def outcome_of(call: Any) -> str:
    """Return what a client can tell about how a call ended."""
    try:
        await call
    except Refusal as refusal:
        return f"{refusal.code} {refusal.details} {refusal.retry_after}"
    return "done"


async def detail_of(call: Any) -> str:
    """Return which rule refused the call."""
    with pytest.raises(Refusal) as refused:
        await call
    return refused.value.detail


async def killed_code(world: World, pending: str | None = None) -> str:
    """Type five wrong codes; return the right one."""
    code = await world.code()
    for step in range(1, 6):
        assert await detail_of(world.verify_code(another(code, step), pending=pending)) == "wrong_code"
    return code


async def test_a_mailed_code_makes_an_account_and_its_first_session(world: World) -> None:
    sent = await world.send_code(locale="ja")
    pair = await world.verify_code(await world.code(), pending=sent.pending)
    assert (sent.email, sent.expires_in) == (HANAKO, 900)
    assert (pair.account.email, pair.account.is_verified, pair.account.locale) == (HANAKO, True, "ja")
    assert (pair.session.amr, await world.is_live(pair)) == (("pwd", "otp"), True)


async def test_who_signed_up_can_log_in_with_the_password_that_was_given_first(world: World) -> None:
    signed_up = await world.signed_up()
    assert (await world.login()).account.id == signed_up.account.id


async def test_the_letter_speaks_the_language_of_the_sign_up(world: World) -> None:
    await world.send_code(locale="ja")
    [letter] = await world.mail(HANAKO)
    assert letter.subject == "Sekisho 登録の確認コード"


@pytest.mark.parametrize("transport", list(Transport))
async def test_the_transport_is_chosen_when_the_code_comes_back(world: World, transport: Transport) -> None:
    pair = await world.signed_up(transport=transport)
    assert pair.session.transport is transport
    assert (pair.access_token is None) == (transport is Transport.SESSION)


@pytest.mark.parametrize(
    ("password", "reason"),
    [("short", "too_short"), ("password123", "too_common"), ("hanako@mail.test", "contains_personal_word")],
)
async def test_a_password_against_the_policy_is_refused_before_anything_is_counted_or_mailed(
    world: World, password: str, reason: str
) -> None:
    for _ in range(4):
        with pytest.raises(ValidationError) as refused:
            await world.send_code(password=password)
        assert (refused.value.details or {})["password"] == reason
    assert (await world.mail(), await world.audit()) == ([], [])
    await world.send_code()


async def test_a_code_is_refused_by_its_form_before_it_counts_as_a_try(world: World) -> None:
    await world.send_code()
    for _ in range(6):
        with pytest.raises(ValidationError, match="six digits"):
            await world.verify_code("12345")
    assert isinstance(await world.verify_code(await world.code()), TokenPair)


async def test_full_width_digits_and_a_space_are_the_same_code(world: World) -> None:
    await world.send_code()
    code = await world.code()
    typed = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    assert isinstance(await world.verify_code(f"{typed[:3]} {typed[3:]}"), TokenPair)


async def test_V6_6_3_five_wrong_tries_kill_the_code_also_for_who_then_types_the_right_one(world: World) -> None:
    await world.send_code()
    code = await killed_code(world)
    with pytest.raises(InvalidCode, match="code_dead"):
        await world.verify_code(code)
    assert await world.store.list_accounts() == []


async def test_four_wrong_tries_do_not(world: World) -> None:
    await world.send_code()
    code = await world.code()
    for step in range(1, 5):
        await detail_of(world.verify_code(another(code, step)))
    assert isinstance(await world.verify_code(code), TokenPair)


async def test_V6_6_3_of_twenty_parallel_guesses_no_more_than_five_are_compared(world: World) -> None:
    await world.send_code()
    code, codes = await world.code(), CountingCodes(world.master)
    bundle = replace(world.edge.sign_up, codes=codes)
    guesses = [
        VerifyCode(HANAKO, another(code, step), "web", None, Transport.BODY, a_network(step)) for step in range(1, 21)
    ]
    details = Counter(await gather(*(detail_of(verify_code(guess, bundle)) for guess in guesses)))
    assert codes.compared == 5
    assert details == {"wrong_code": 5, "code_dead": 15}


async def test_V6_5_1_of_parallel_right_codes_one_makes_the_account(world: World) -> None:
    await world.send_code()
    code = await world.code()
    answers = await gather(*(world.verify_code(code) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(answer, TokenPair) for answer in answers) == 1
    assert {type(answer) for answer in answers} <= {TokenPair, SessionNotFound, InvalidCode}
    assert len(await world.store.list_accounts()) == 1
    assert len(await world.audit("sign_up", outcome="success")) == 1


async def test_V6_5_1_who_loses_the_race_for_a_code_finds_the_sign_up_over(world: World) -> None:
    await world.send_code()
    code = await world.code()
    answers = await gather(*(world.verify_code(code) for _ in range(4)), return_exceptions=True)
    assert Counter(type(answer) for answer in answers) == {TokenPair: 1, SessionNotFound: 3}


async def test_V6_5_1_a_used_code_is_a_sign_up_that_is_over(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    await world.verify_code(code, pending=sent.pending)
    with pytest.raises(SessionNotFound):
        await world.verify_code(code, pending=sent.pending)


async def test_a_resent_code_kills_the_older_one(world: World) -> None:
    await world.send_code()
    older = await world.code()
    await world.resend_code()
    newer = await world.code()
    assert older == newer or await detail_of(world.verify_code(older)) == "wrong_code"
    assert isinstance(await world.verify_code(newer), TokenPair)


async def test_a_resent_code_forgives_the_tries_on_the_older_one(world: World) -> None:
    sent = await world.send_code()
    await killed_code(world)
    assert (await world.resend_code(pending=sent.pending)).pending == sent.pending
    assert isinstance(await world.verify_code(await world.code()), TokenPair)


async def test_a_code_lives_for_fifteen_minutes(world: World) -> None:
    await world.send_code()
    code = await world.code()
    world.clock.advance(minutes=15, seconds=-0.001)
    assert isinstance(await world.verify_code(code), TokenPair)


async def test_after_fifteen_minutes_the_sign_up_is_over(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    world.clock.advance(minutes=15)
    assert await detail_of(world.verify_code(code, pending=sent.pending)) == "no pending sign-up"
    assert await detail_of(world.resend_code(pending=sent.pending)) == "no pending sign-up"


async def test_a_resent_code_has_fifteen_minutes_of_its_own(world: World) -> None:
    sent = await world.send_code()
    world.clock.advance(minutes=14)
    await world.resend_code(pending=sent.pending)
    world.clock.advance(minutes=14)
    assert isinstance(await world.verify_code(await world.code(), pending=sent.pending), TokenPair)


async def test_V6_6_2_two_sign_ups_of_one_address_do_not_meet(world: World) -> None:
    owner = await world.send_code()
    owners_code = await world.code()
    stranger = await world.send_code(password="the stranger chose this", origin=ELSEWHERE)
    strangers_code = await world.code()
    if owners_code != strangers_code:
        assert await detail_of(world.verify_code(owners_code, pending=stranger.pending)) == "wrong_code"
    await world.verify_code(owners_code, pending=owner.pending)
    assert (await world.login(password=PASSWORD)).account.email == HANAKO


async def test_without_a_handle_the_newest_sign_up_of_the_same_client_counts(world: World) -> None:
    await world.send_code()
    world.clock.advance(seconds=1)
    await world.send_code(password="the second one counts")
    code = await world.code()
    world.clock.advance(seconds=1)
    await world.send_code(client_id="phone")
    await world.verify_code(code)
    assert isinstance(await world.login(password="the second one counts"), TokenPair)


async def test_KA_023_a_sign_up_belongs_to_the_client_that_opened_it(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    for pending in (sent.pending, None):
        with pytest.raises(ClientIdMismatch):
            await world.verify_code(code, pending=pending, client_id="phone")
        with pytest.raises(ClientIdMismatch):
            await world.resend_code(pending=pending, client_id="phone")
    assert isinstance(await world.verify_code(code, pending=sent.pending), TokenPair)


async def test_a_handle_is_good_for_its_own_address_only(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    with pytest.raises(SessionNotFound):
        await world.verify_code(code, "jiro@mail.test", pending=sent.pending)


async def test_V6_3_8_every_call_answers_alike_whether_the_address_is_taken(world: World) -> None:
    taken, free = HANAKO, "saburo@mail.test"
    await world.account(taken)
    answers: dict[str, list[object]] = {taken: [], free: []}
    for email, seen in answers.items():
        sent = await world.send_code(email)
        again = await world.resend_code(email, pending=sent.pending)
        seen += [{**asdict(each), "email": "", "pending": len(each.pending)} for each in (sent, again)]
        seen.append(again.pending == sent.pending)
        wrong = another(await world.code(email)) if email == free else "123456"
        seen += [await outcome_of(world.verify_code(wrong, email, pending=sent.pending)) for _ in range(7)]
        seen.append(await outcome_of(world.verify_code(wrong, email, pending=sent.pending, client_id="phone")))
        seen.append(await outcome_of(world.resend_code(email)))
        seen.append(await outcome_of(world.resend_code(email)))
        world.clock.advance(minutes=15)
        seen.append(await outcome_of(world.verify_code(wrong, email, pending=sent.pending)))
    assert answers[taken] == answers[free]


@pytest.fixture
async def hashes() -> AsyncIterator[CountingHashPool]:
    pool = CountingHashPool()
    yield pool
    pool.close()


async def test_V6_3_8_a_taken_address_costs_the_same_hash(world: World, hashes: CountingHashPool) -> None:
    await world.account()
    bundle = replace(world.edge.sign_up, passwords=hashes)
    for count, email in enumerate([HANAKO, "saburo@mail.test"], start=1):
        await send_code(SendCode(email, PASSWORD, "web", "en", HOME), bundle)
        assert hashes.hashed == count


async def test_V6_3_8_the_owner_of_a_taken_address_is_told_by_mail_and_no_code_is_sent(world: World) -> None:
    await world.account()
    sent = await world.send_code()
    await world.resend_code(pending=sent.pending)
    assert [letter.subject for letter in await world.mail(HANAKO)] == [OWNER_LETTER] * 2


async def test_V6_3_8_no_code_finishes_the_sign_up_of_a_taken_address(world: World) -> None:
    await world.account()
    sent = await world.send_code()
    details = [await detail_of(world.verify_code(f"{guess:06d}", pending=sent.pending)) for guess in range(6)]
    assert details == ["decoy"] * 5 + ["code_dead"]
    assert len(await world.store.list_accounts()) == 1


async def test_an_address_that_another_sign_up_took_meanwhile_answers_like_a_decoy(world: World) -> None:
    first = await world.send_code()
    first_code = await world.code()
    second = await world.send_code()
    second_code = await world.code()
    await world.verify_code(second_code, pending=second.pending)
    assert await detail_of(world.verify_code(first_code, pending=first.pending)) == "decoy"
    await world.resend_code(pending=first.pending)
    assert (await world.mail(HANAKO))[-1].subject == OWNER_LETTER


async def test_an_address_that_an_operator_took_meanwhile_answers_like_a_decoy(world: World) -> None:
    sent = await world.send_code()
    await world.account()
    with pytest.raises(InvalidCode) as refused:
        await world.verify_code(await world.code(), pending=sent.pending)
    assert (refused.value.detail, refused.value.details) == ("email_taken", None)
    assert await world.live_sessions((await world.account()).id) == []


async def test_racing_sign_ups_of_one_address_make_one_account(world: World) -> None:
    first, first_code = await world.send_code(), await world.code()
    second, second_code = await world.send_code(), await world.code()
    answers = await gather(
        world.verify_code(first_code, pending=first.pending),
        world.verify_code(second_code, pending=second.pending),
        return_exceptions=True,
    )
    assert sorted(type(answer).__name__ for answer in answers) == ["InvalidCode", "TokenPair"]


async def test_only_where_a_setting_says_so_a_taken_address_is_named(world_with: WorldWith) -> None:
    world = await world_with({"signup.reveal_existing": True})
    await world.account()
    with pytest.raises(EmailAlreadyExists):
        await world.send_code()
    assert await world.mail() == []


async def test_an_address_gets_three_codes_in_five_minutes(world: World) -> None:
    await world.send_code()
    await world.resend_code()
    await world.send_code(origin=ELSEWHERE)
    with pytest.raises(RateLimitExceeded) as refused:
        await world.send_code()
    assert refused.value.retry_after == 300
    assert [letter.subject for letter in await world.mail(HANAKO)] == [CODE_LETTER] * 3
    world.clock.advance(minutes=5)
    await world.send_code()


async def test_an_address_gets_ten_codes_a_day(world: World) -> None:
    for _ in range(10):
        await world.send_code()
        world.clock.advance(minutes=5)
    with pytest.raises(RateLimitExceeded) as refused:
        await world.send_code()
    assert refused.value.retry_after == 86_400 - 10 * 300


async def test_a_network_asks_for_twenty_codes_in_five_minutes(world: World) -> None:
    await gather(*(world.send_code(f"guest{number}@mail.test") for number in range(20)))
    with pytest.raises(RateLimitExceeded):
        await world.send_code()
    await world.send_code(origin=ELSEWHERE)


async def test_V6_6_3_resending_buys_no_guesses_beyond_twenty_a_day(world: World) -> None:
    sent = await world.send_code()
    for _ in range(4):
        await killed_code(world, sent.pending)
        world.clock.advance(minutes=5)
        await world.resend_code(pending=sent.pending)
    with pytest.raises(RateLimitExceeded):
        await world.verify_code(await world.code(), pending=sent.pending)


async def test_V6_3_1_a_dead_code_posted_for_ever_writes_no_more_than_the_day_allows(world: World) -> None:
    sent = await world.send_code()
    code = await killed_code(world, sent.pending)
    for _ in range(15):
        assert await detail_of(world.verify_code(code, pending=sent.pending)) == "code_dead"
    with pytest.raises(RateLimitExceeded) as refused:
        await world.verify_code(code, pending=sent.pending)
    assert refused.value.retry_after == 86_400
    assert len(await world.audit("sign_up")) == 20


@pytest.mark.parametrize(("client_id", "reason"), [("web", "no_sign_up"), ("phone", "wrong_client")])
async def test_V6_3_1_I6_codes_for_no_sign_up_are_written_down_once_each_and_bounded(
    world: World, client_id: str, reason: str
) -> None:
    sent = await world.send_code()
    handle = sent.pending if reason == "wrong_client" else "no such handle"
    answers = [await outcome_of(world.verify_code("123456", pending=handle, client_id=client_id)) for _ in range(25)]
    assert ["rate_limit_exceeded" in answer for answer in answers] == [False] * 20 + [True] * 5
    assert [(line.reason, line.client_id) for line in await world.audit("sign_up")] == [(reason, client_id)] * 20


async def test_V6_3_1_a_network_types_fifty_wrong_codes_over_all_addresses(world: World) -> None:
    for guest in range(50):
        assert await detail_of(world.verify_code("123456", f"guest{guest}@mail.test")) == "no pending sign-up"
    with pytest.raises(RateLimitExceeded) as refused:
        await world.verify_code("123456", "guest50@mail.test")
    assert refused.value.retry_after == 300
    assert await detail_of(world.verify_code("123456", "guest50@mail.test", origin=ELSEWHERE)) == "no pending sign-up"


async def test_V6_3_1_asking_again_for_a_code_is_counted_before_it_is_looked_for(world: World) -> None:
    await world.send_code(client_id="phone")
    for _ in range(2):
        with pytest.raises(ClientIdMismatch):
            await world.resend_code()
    with pytest.raises(RateLimitExceeded):
        await world.resend_code()
    assert [line.event for line in await world.audit()] == ["sign_up_code_sent"]


async def test_a_right_code_gives_its_try_back(world: World) -> None:
    await world.signed_up()
    a_day, by_network = world.edge.sign_up.throttle.code_tries(HANAKO, HOME.ip, world.now)
    for one, limit in ((a_day, 20), (by_network, 50)):
        assert [(await world.store.apply(one)).lost is None for _ in range(limit + 1)] == [True] * limit + [False]


async def test_V7_2_4_signing_up_in_a_browser_ends_the_session_that_it_held(world: World) -> None:
    older = await world.signed_in("jiro@mail.test")
    await world.send_code()
    await world.verify_code(await world.code(), replaces=older.session.id)
    assert (await world.session(older)).end_reason == EndReason.SIGNED_IN_AGAIN


async def test_V16_3_1_every_step_has_exactly_one_audit_record(world: World) -> None:
    sent = await world.send_code()
    await world.resend_code(pending=sent.pending)
    code = await world.code()
    await detail_of(world.verify_code(another(code)))
    await detail_of(world.verify_code(code, client_id="phone"))
    pair = await world.verify_code(code, pending=sent.pending)
    lines = await world.audit()
    assert [(line.event, line.outcome, line.reason) for line in lines] == [
        ("sign_up_code_sent", "success", ""),
        ("sign_up_code_resent", "success", ""),
        ("sign_up", "failure", "wrong_code"),
        ("sign_up", "failure", "wrong_client"),
        ("sign_up", "success", ""),
    ]
    assert (lines[-1].account_id, lines[-1].session_id) == (pair.account.id, pair.session.id)


async def test_KA_066_no_answer_holds_the_code(world: World) -> None:
    sent = await world.send_code()
    code = await world.code()
    assert code not in f"{sent}{await world.store.find_pending_sign_up(sent.pending)}{await world.audit()}"


async def test_the_notice_about_an_existing_account_goes_to_its_owner_whatever_spelling_was_typed(world: World) -> None:
    await world.account("strasse@example.com")

    sent = await world.send_code("straße@example.com")

    assert sent.email == "straße@example.com"
    assert [letter.to for letter in await world.mail("strasse@example.com")] == ["strasse@example.com"]
    assert await world.mail("straße@example.com") == []
