"""Second factor: between the password and a session stands one code, once."""

from __future__ import annotations

from asyncio import gather
from typing import cast

import pytest
from msgspec.structs import replace

from flows.counting import Meanwhile
from sekisho.admin.accounts import reset_factors
from sekisho.errors import (
    ClientIdMismatch,
    FactorLocked,
    FactorUnusable,
    InvalidCode,
    RateLimitExceeded,
    Refusal,
    SessionNotFound,
    ValidationError,
)
from sekisho.flows.enrolment import Enrol, confirm, enrol
from sekisho.flows.factors import remove
from sekisho.flows.password_reset import SendResetCode, send_reset_code
from sekisho.flows.second_factor import SendFactorCode, send_code
from sekisho.flows.step_up import StepUp, step_up
from sekisho.master_secret import MasterSecret
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.methods import Method
from sekisho.model import FactorKind, Transport
from sekisho.ports.changes import SetPassword
from sekisho.ports.factor_changes import CountFactorTry
from sekisho.ports.storage import Store
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, JIRO, World, a_network, hash_of, principal_of

pytestmark = pytest.mark.anyio


async def test_V6_3_3_KA_075_before_the_second_step_there_is_no_session_no_token_and_no_known_device(
    world: World,
) -> None:
    pair = await world.signed_in()
    await world.enrolled(pair)
    asked = await world.asked(origin=ELSEWHERE)
    assert asked.methods == (Method.TOTP, Method.RECOVERY_CODE)
    assert asked.expires_in == 300
    assert [session.id for session in await world.live_sessions(pair.account.id)] == [pair.session.id]
    (line,) = await world.audit("second_factor_asked")
    assert (line.account_id, line.session_id, line.method) == (pair.account.id, "", "pwd")


async def test_V6_3_4_the_right_code_starts_the_session_that_was_asked_for(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    for transport in Transport:
        asked = await world.asked(transport=transport, client_id="phone:one")
        pair = await world.answer(asked, enrolled.app.code(), client_id="phone:one")
        session = await world.session(pair)
        assert (session.transport, session.client_id) == (transport, "phone:one")
        assert (session.amr, session.acr) == (("pwd", "otp", "mfa"), "aal2")
        world.clock.advance(seconds=30)
    assert [line.method for line in await world.audit("login", outcome="success")][1:] == ["pwd otp mfa"] * 3


async def test_V6_5_5_drift_of_one_step_is_borne_and_no_more(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    world.clock.advance(minutes=5)
    for ahead in (-2, 2):
        with pytest.raises(InvalidCode, match="wrong_code"):
            await world.answer(await world.asked(), enrolled.app.code(steps_ahead=ahead))
    for ahead in (-1, 0, 1):
        await world.answer(await world.asked(), enrolled.app.code(steps_ahead=ahead))


async def test_V6_5_1_KA_070_a_step_is_used_once_and_none_before_it(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    with pytest.raises(InvalidCode):  # the code that confirmed the enrolment
        await world.answer(await world.asked(), enrolled.app.code(steps_ahead=-1))
    code = enrolled.app.code()
    await world.answer(await world.asked(), code)
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), code)
    await world.answer(await world.asked(), enrolled.app.code(steps_ahead=1))
    await world.restart()
    with pytest.raises(InvalidCode):  # the previous step after the newer one, and after a restart
        await world.answer(await world.asked(), code)


async def test_KA_071_of_fifty_right_codes_at_once_one_wins(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    one = await world.asked()
    many = [await world.asked() for _ in range(4)]
    calls = [world.answer(asked, enrolled.app.code()) for asked in (*many, *[one] * 46)]
    answers = await gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, TokenPair) for answer in answers) == 1
    assert all(isinstance(answer, TokenPair | Refusal) for answer in answers)
    assert len(await world.live_sessions((await world.account()).id)) == 2


async def test_KA_078_five_wrong_codes_kill_the_challenge_and_a_new_one_does_not_reset_the_count(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    wrong = enrolled.app.wrong_code()
    for _ in range(2):
        asked = await world.asked()
        for _ in range(5):
            with pytest.raises(InvalidCode):
                await world.answer(asked, wrong)
    with pytest.raises(RateLimitExceeded):
        await world.answer(await world.asked(), enrolled.app.code())
    with pytest.raises(SessionNotFound, match="challenge_dead"):
        await world.answer(asked, enrolled.app.code(), origin=ELSEWHERE)
    reasons = [line.reason for line in await world.audit("second_factor")]
    assert reasons == ["wrong_code"] * 10 + ["challenge_dead"]


async def test_KA_088_guessing_over_many_networks_has_to_wait_longer_and_longer(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    wrong, guesses = enrolled.app.wrong_code(), 0
    with pytest.raises(RateLimitExceeded):  # noqa: PT012 - which of them is refused is the question
        for guesses in range(200):
            origin = a_network(guesses)
            with pytest.raises(InvalidCode):
                await world.answer(await world.asked(origin=origin), wrong, origin=origin)
    assert guesses == 20


async def test_V6_3_5_the_owner_is_told_once_of_a_challenge_that_was_guessed_at(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked = await world.asked(origin=ELSEWHERE)
    before = len(await world.mail())
    for _ in range(5):
        with pytest.raises(InvalidCode):
            await world.answer(asked, enrolled.app.wrong_code(), origin=ELSEWHERE)
    with pytest.raises(SessionNotFound):
        await world.answer(asked, enrolled.app.wrong_code(), origin=ELSEWHERE)
    (letter,) = (await world.mail())[before:]
    assert letter.subject.startswith("Somebody knows your password")
    assert ELSEWHERE.ip in letter.text


@pytest.mark.parametrize("value", ["", "x", "A" * 43, "../../etc", "A" * 64])
async def test_KA_073_a_challenge_that_is_not_ours_is_unknown_and_leaves_no_line(world: World, value: str) -> None:
    await world.enrolled(await world.signed_in())
    with pytest.raises(SessionNotFound):
        await world.answer(SecondFactorRequired(value, ()), "123456")
    assert await world.audit("second_factor") == []


async def test_V6_6_2_a_challenge_belongs_to_its_account_and_its_app(world: World) -> None:
    hanako = await world.enrolled(await world.signed_in())
    jiro = await world.enrolled(await world.signed_in(JIRO))
    asked = await world.asked(JIRO)
    with pytest.raises(InvalidCode):
        await world.answer(asked, hanako.app.code())
    with pytest.raises(ClientIdMismatch):
        await world.answer(asked, jiro.app.code(), client_id="other")
    assert (await world.answer(asked, jiro.app.code())).account.email == JIRO


async def test_V6_7_2_a_challenge_lives_five_minutes_and_is_spent_once(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked = await world.asked()
    world.clock.advance(seconds=300)
    with pytest.raises(SessionNotFound, match="challenge_gone"):
        await world.answer(asked, enrolled.app.code())
    other, late = await world.asked(), await world.asked()
    world.clock.advance(seconds=30)
    await world.answer(other, enrolled.app.code())
    world.clock.advance(seconds=30)
    with pytest.raises(SessionNotFound, match="challenge_gone"):  # in time, with a code that is good
        await world.answer(other, enrolled.app.code())
    world.clock.advance(seconds=239.999)
    await world.answer(late, enrolled.app.code())


async def test_V6_4_3_a_password_that_changed_meanwhile_ends_the_challenge(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked = await world.asked()
    account = await world.account()
    change = SetPassword(
        account_id=account.id, security_version=account.security_version, password_hash=hash_of("another one")
    )
    await world.store.apply(change)
    with pytest.raises(SessionNotFound, match="changed_meanwhile"):
        await world.answer(asked, enrolled.app.code())


async def test_what_changes_while_the_code_is_compared_starts_nothing(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked, account = await world.asked(), await world.account()
    during = Meanwhile(world.store, lambda: world.disable(account.id))
    steps = replace(world.edge.second_factor, store=cast(Store, during))
    with pytest.raises(SessionNotFound):
        await world.answer(asked, enrolled.app.code(), world=steps)
    assert len(await world.audit("login", outcome="success")) == 1


async def test_KA_077_a_recovery_code_works_once_for_its_account_and_the_owner_hears_of_it(world: World) -> None:
    hanako = await world.enrolled(await world.signed_in())
    jiro = await world.enrolled(await world.signed_in(JIRO))
    assert len(set(hanako.recovery_codes)) == 10
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), jiro.recovery_codes[0], method="recovery_code")
    code = hanako.recovery_codes[3]
    typed = code.replace("-", " ").lower()
    pair = await world.answer(await world.asked(), typed, method="recovery_code")
    assert (pair.session.amr, pair.session.acr) == (("pwd", "otp", "mfa"), "aal2")
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), code, method="recovery_code")
    assert "left: 9" in (await world.mail(HANAKO))[-1].text
    assert len(await world.audit("recovery_code_used")) == 1
    assert await world.store.count_recovery_codes(pair.account.id) == 9


async def test_of_fifty_uses_of_a_recovery_code_at_once_one_wins(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    challenges = [await world.asked() for _ in range(8)]
    code = enrolled.recovery_codes[0]
    calls = [world.answer(challenges[number % 8], code, method="recovery_code") for number in range(50)]
    answers = await gather(*calls, return_exceptions=True)
    assert sum(isinstance(answer, TokenPair) for answer in answers) == 1


async def test_V6_5_2_no_code_and_no_key_stands_in_the_files_in_clear(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    asked = await world.asked()
    await world.stop()
    written = world.files()
    secrets = [*enrolled.recovery_codes, enrolled.recovery_codes[0].replace("-", ""), asked.challenge]
    assert [one for one in secrets if one.encode() in written] == []
    assert enrolled.app._codes.byte_secret() not in written
    assert enrolled.app._codes.secret.encode() not in written


async def test_a_key_that_cannot_be_opened_is_a_clear_refusal_with_a_line_and_other_methods_go_on(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    proofs = world.edge.second_factor.proofs
    stranger = type(proofs._tools.totp)(MasterSecret(b"x" * 32), "Sekisho")
    tools = replace(proofs._tools, totp=stranger)
    broken = replace(world.edge.second_factor, proofs=type(proofs)(tools))
    asked = await world.asked()
    with pytest.raises(FactorUnusable):
        await world.answer(asked, enrolled.app.code(), world=broken)
    (line,) = await world.audit("second_factor")
    assert line.reason == "unreadable_secret"
    await world.answer(asked, enrolled.recovery_codes[0], method="recovery_code", world=broken)


async def test_N_11_after_a_hundred_wrong_codes_in_a_row_the_app_is_locked_and_recovery_lets_in(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    count = CountFactorTry(account_id=pair.account.id, kind=FactorKind.TOTP, max_failures=100)
    for _ in range(99):
        await world.store.apply(count)
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), enrolled.app.wrong_code())
    await world.restart()
    with pytest.raises(FactorLocked):
        await world.answer(await world.asked(), enrolled.app.code())
    with pytest.raises(FactorLocked):
        await step_up(StepUp(method="totp", code=enrolled.app.code()), principal_of(pair), HOME, world.edge.step_up)
    back = await world.answer(await world.asked(), enrolled.recovery_codes[0], method="recovery_code")
    with pytest.raises(FactorLocked):
        await world.answer(await world.asked(), enrolled.app.code())
    await remove(enrolled.factor_id, principal_of(back), HOME, world.edge.factors)
    again = await world.enrolled(await world.login())
    await world.answer(await world.asked(), again.app.code())
    lines = await world.audit(outcome="failure")
    assert [(line.event, line.reason) for line in lines if line.reason == "factor_locked"] == [
        ("second_factor", "factor_locked"),
        ("step_up", "factor_locked"),
        ("second_factor", "factor_locked"),
    ]


async def test_N_11_a_right_code_starts_the_count_again(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    count = CountFactorTry(account_id=pair.account.id, kind=FactorKind.TOTP, max_failures=100)
    for _ in range(99):
        await world.store.apply(count)
    await world.answer(await world.asked(), enrolled.app.code())
    (factor,) = await world.store.list_factors(pair.account.id)
    assert factor.failures == 0


@pytest.mark.parametrize(
    ("method", "code", "field"),
    [
        ("magic", "123456", "method"),
        ("email", "123456", "method"),
        ("totp", "12345", "code"),
        ("recovery_code", "A" * 24 + "!", "code"),
    ],
)
async def test_what_cannot_be_a_code_of_this_account_is_a_mistake_of_form(
    world: World, method: str, code: str, field: str
) -> None:
    await world.enrolled(await world.signed_in())
    with pytest.raises(ValidationError) as caught:
        await world.answer(await world.asked(), code, method=method)
    assert list(caught.value.details or ()) == [field]


async def test_N_13_a_code_by_mail_signs_in_once_and_never_raises_the_level(world: World) -> None:
    await mail_enrolled(world)
    asked = await world.asked()
    assert asked.methods == (Method.RECOVERY_CODE, Method.EMAIL)
    assert await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor) == 600
    older = await world.code()
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    code = await world.code()
    with pytest.raises(InvalidCode):
        await world.answer(asked, older if older != code else "000000", method="email")
    pair = await world.answer(asked, code, method="email")
    assert (pair.session.amr, pair.session.acr) == (("pwd", "otp"), "aal1")
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), code, method="email")


async def test_V6_6_2_a_mailed_code_belongs_to_its_challenge(world: World) -> None:
    await mail_enrolled(world)
    first, second = await world.asked(), await world.asked()
    await send_code(SendFactorCode(first.challenge, "email", HOME), world.edge.second_factor)
    with pytest.raises(InvalidCode, match="code_gone"):
        await world.answer(second, await world.code(), method="email")


async def test_V6_6_3_sending_again_buys_no_guesses(world: World) -> None:
    await mail_enrolled(world)
    asked, code = await world.asked(), ""
    for _ in range(3):
        await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
        code = await world.code()
        for _ in range(2):
            with pytest.raises((InvalidCode, SessionNotFound)):
                await world.answer(asked, "000000" if code != "000000" else "000001", method="email")
    with pytest.raises(SessionNotFound, match="challenge_dead"):
        await world.answer(asked, code, method="email")
    with pytest.raises(RateLimitExceeded):
        await send_code(SendFactorCode((await world.asked()).challenge, "email", HOME), world.edge.second_factor)


async def test_V6_1_1_a_stranger_who_uses_up_the_mails_to_an_address_locks_nobody_out(world: World) -> None:
    await mail_enrolled(world)
    for number in range(3):
        await send_reset_code(SendResetCode(HANAKO, "en", a_network(number)), world.edge.password_reset)
    with pytest.raises(RateLimitExceeded):
        await send_reset_code(SendResetCode(HANAKO, "en", a_network(9)), world.edge.password_reset)
    asked = await world.asked()
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    await world.answer(asked, await world.code(), method="email")


@pytest.mark.parametrize("method", ["totp", "recovery_code", "sms"])
async def test_a_method_that_sends_nothing_sends_nothing(world: World, method: str) -> None:
    await world.enrolled(await world.signed_in())
    before = len(await world.mail())
    with pytest.raises(ValidationError):
        await send_code(SendFactorCode((await world.asked()).challenge, method, HOME), world.edge.second_factor)
    assert len(await world.mail()) == before


async def mail_enrolled(world: World) -> None:
    who = principal_of(await world.signed_in())
    begun = await enrol(Enrol("email"), who, HOME, world.edge.factors)
    await confirm(begun.id, await world.code(), who, HOME, world.edge.factors)
    world.clock.advance(minutes=6)


async def test_V6_4_4_a_lost_app_takes_two_proofs_of_different_kinds_and_no_code_by_mail_alone(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    asked = await world.asked()
    assert Method.EMAIL not in asked.methods
    with pytest.raises(ValidationError):
        await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    with pytest.raises(ValidationError):
        await world.answer(asked, "123456", method="email")
    back = await world.answer(asked, enrolled.recovery_codes[0], method="recovery_code")
    await remove(enrolled.factor_id, principal_of(back), HOME, world.edge.factors)
    with pytest.raises(SessionNotFound):  # what was begun with the lost one is over
        await world.answer(asked, enrolled.app.code())
    assert await world.store.count_recovery_codes(pair.account.id) == 0


async def test_N_24_binding_recovery_and_loss_are_told_to_the_owner_and_a_removed_factor_is_dead_at_once(
    world: World,
) -> None:
    pair = await world.signed_in()
    first, second = await world.enrolled(pair), await world.enrolled(pair)
    await world.answer(await world.asked(), first.recovery_codes[0], method="recovery_code")
    await remove(second.factor_id, principal_of(pair), HOME, world.edge.factors)
    with pytest.raises(InvalidCode):
        await world.answer(await world.asked(), second.app.code())
    await reset_factors(HANAKO, world.operator())
    assert isinstance(await world.login(), TokenPair)
    told = [letter.subject for letter in await world.mail(HANAKO)]
    for words, times in (("second factor was added", 2), ("recovery code was used", 1), ("was removed", 1)):
        assert sum(words in subject.lower() for subject in told) >= times, told
    assert len(told) == 5
