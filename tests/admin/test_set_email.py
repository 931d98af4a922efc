"""Set email: who was robbed of an account, or has lost its mailbox, gets it back, and nobody else keeps a way in."""

from __future__ import annotations

import re
from asyncio import gather
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from flows.counting import Meanwhile
from flows.factor_owner import Owner
from sekisho.admin.accounts import disable_account, enable_account, find_account, withdraw_account
from sekisho.admin.set_email import TRIES, GivenBack, HasItAlready, Overtaken, set_email
from sekisho.admin.set_email_plan import Case, SetEmail
from sekisho.admin.world import OperatorWorld
from sekisho.errors import (
    EmailAlreadyExists,
    InvalidCode,
    InvalidCredentials,
    NotFound,
    RefreshTokenInvalid,
    ResetTokenInvalid,
    ValidationError,
)
from sekisho.flows.email_change import SendEmailCode, VerifyEmailCode, send_email_code, verify_email_code
from sekisho.flows.not_me import NotMe, not_me
from sekisho.flows.password_reset import (
    CompleteReset,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.flows.recovery_email import (
    SendRecoveryEmailCode,
    VerifyRecoveryEmailCode,
    send_recovery_email_code,
    verify_recovery_email_code,
)
from sekisho.ids import new_account_id
from sekisho.mfa.challenges import SecondFactorRequired
from sekisho.mfa.methods import Method
from sekisho.model import Account, AccountStatus, EndReason
from sekisho.ports.changes import AddAccount, Change, SetPassword
from sekisho.ports.storage import Outcome
from sekisho.sessions import TokenPair
from sekisho.times import iso_time
from world import ELSEWHERE, HANAKO, HOME, JIRO, PASSWORD, World, principal_of

pytestmark = pytest.mark.anyio

THIEF = "thief@mail.test"
AGAIN = "again@mail.test"
SECOND = "second@mail.test"
NEW = "hanako.new@mail.test"
PHRASE = "thirteen loud crickets"
_NOT_ME = re.compile(r"(?<![0-9A-Z-])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}(?![0-9A-Z-])")


async def give(
    world: World,
    who: str,
    email: str = NEW,
    case: Case = Case.TAKEN_OVER,
    *,
    bundle: OperatorWorld | None = None,
    **keeps: bool,
) -> GivenBack:
    done = await set_email(SetEmail(who=who, email=email, case=case, **keeps), bundle or world.operator())
    assert isinstance(done, GivenBack)
    return done


async def move_to(world: World, pair: TokenPair, email: str) -> None:
    who, flows = principal_of(pair), world.edge.email_change
    await send_email_code(SendEmailCode(email, PASSWORD, ELSEWHERE), who, flows)
    await verify_email_code(VerifyEmailCode(email, await world.code(email), ELSEWHERE), who, flows)


async def set_second(world: World, pair: TokenPair, email: str = SECOND) -> None:
    who, flows = principal_of(pair), world.edge.recovery_email
    await send_recovery_email_code(SendRecoveryEmailCode(email, PASSWORD, ELSEWHERE), who, flows)
    await verify_recovery_email_code(VerifyRecoveryEmailCode(email, await world.code(email), ELSEWHERE), who, flows)


async def robbed(world: World) -> TokenPair:
    """Let a thief who knows the password take the account over: another address, twice, a recovery address and a
    second factor of his own. Return his session."""
    await world.signed_in()
    thief = await world.signed_in(origin=ELSEWHERE)
    await move_to(world, thief, THIEF)
    await move_to(world, thief, AGAIN)
    await set_second(world, thief)
    await world.enrolled(thief)
    return thief


async def reset(world: World, email: str = NEW) -> None:
    flows = world.edge.password_reset
    await send_reset_code(SendResetCode(email, "en", HOME), flows)
    allowed = await verify_reset_code(VerifyResetCode(email, await world.code(email), HOME), flows)
    await complete_reset(CompleteReset(allowed.reset_token, PHRASE, HOME), flows)


async def test_V7_4_5_a_robbed_owner_has_the_account_back_and_the_thief_has_nothing(world: World) -> None:
    thief = await robbed(world)
    done = await give(world, AGAIN)
    assert (done.account.id, done.account.email, done.former_email, done.ended) == (thief.account.id, NEW, AGAIN, 1)
    assert await world.live_sessions(thief.account.id) == []
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(thief.credential, origin=ELSEWHERE)
    for email in (AGAIN, THIEF, HANAKO, NEW):
        with pytest.raises(InvalidCredentials):
            await world.login(email, PASSWORD, origin=ELSEWHERE)
    assert await world.store.list_factors(thief.account.id) == []
    assert await world.store.count_recovery_codes(thief.account.id) == 0
    assert await world.store.find_recovery_email(thief.account.id) is None

    await reset(world)
    assert (await world.login(NEW, PHRASE)).account.id == thief.account.id


async def test_the_password_that_was_taken_away_does_not_come_back(world: World) -> None:
    await robbed(world)
    await give(world, AGAIN)
    flows = world.edge.password_reset
    await send_reset_code(SendResetCode(NEW, "en", HOME), flows)
    allowed = await verify_reset_code(VerifyResetCode(NEW, await world.code(NEW), HOME), flows)
    with pytest.raises(ValidationError):
        await complete_reset(CompleteReset(allowed.reset_token, PASSWORD, HOME), flows)


async def test_the_owner_may_get_the_old_address_back(world: World) -> None:
    thief = await robbed(world)
    assert (await give(world, thief.account.id, HANAKO)).account.email == HANAKO
    await reset(world, HANAKO)
    await world.login(HANAKO, PHRASE)


async def test_every_line_says_that_it_was_the_operator_and_why(world: World) -> None:
    await robbed(world)
    before = len(await world.audit())
    await give(world, AGAIN)
    lines = (await world.audit())[before:]
    assert {line.actor for line in lines} == {"operator"}
    assert {(line.event, line.reason) for line in lines} == {
        ("session_ended", EndReason.EMAIL_CHANGED),
        ("email_reset", "taken_over"),
        ("password_change_forced", ""),
        ("recovery_email_removed", ""),
        ("factors_reset", ""),
    }
    assert not any(email in str(line) for line in lines for email in (NEW, AGAIN, SECOND))


async def test_who_lost_the_mailbox_keeps_the_second_factor_and_nothing_that_a_liar_could_use(world: World) -> None:
    pair = await world.signed_in()
    await set_second(world, pair)
    enrolled = await world.enrolled(pair)
    before = len(await world.audit())
    done = await give(world, HANAKO, case=Case.LOST_MAILBOX)
    assert (done.kept.second_factors, done.kept.recovery_codes) == (("totp",), 10)
    assert (done.removed.password, done.removed.recovery_email and done.removed.recovery_email.email) == (True, SECOND)
    assert not await world.is_live(pair)
    await reset(world)
    asked = await world.asked(NEW, PHRASE)
    assert isinstance(asked, SecondFactorRequired)
    await world.answer(asked, enrolled.app.code())
    lines = (await world.audit())[before:]
    assert [line.reason for line in lines if line.event == "email_reset"] == ["lost_mailbox"]
    assert "factors_reset" not in [line.event for line in lines]


async def test_password_and_recovery_address_stay_where_the_operator_says_so(world: World) -> None:
    pair = await world.signed_in()
    await set_second(world, pair)
    keeps: dict[str, Any] = {"keeps_password": True, "keeps_recovery_email": True}
    done = await give(world, HANAKO, case=Case.LOST_MAILBOX, **keeps)
    assert (done.kept.password, done.removed.password) == (True, False)
    assert done.kept.recovery_email is not None
    assert not await world.is_live(pair)
    assert (await world.login(NEW, PASSWORD)).account.id == pair.account.id
    (told,) = [each for each in await world.mail(SECOND) if NEW in each.text]
    assert pair.account.id in told.text
    assert {line.event for line in await world.audit()} & {"password_change_forced", "recovery_email_removed"} == set()


async def test_V6_4_4_a_password_that_stays_and_the_new_mailbox_are_not_enough_beside_an_app(world: World) -> None:
    pair = await world.signed_in()
    app = (await world.enrolled(pair)).app
    owner = Owner(world, pair)
    await owner.confirm((await owner.enrol("email")).id, await world.code())
    await give(world, HANAKO, case=Case.LOST_MAILBOX, keeps_password=True)
    asked = await world.asked(NEW)
    assert (asked.methods, asked.suspended) == ((Method.TOTP, Method.RECOVERY_CODE), (Method.EMAIL,))
    (line,) = await world.audit("factor_suspended")
    assert (line.account_id, line.actor) == (pair.account.id, "operator")
    world.clock.advance(minutes=1)
    await world.answer(asked, app.code())
    assert Method.EMAIL in (await world.asked(NEW)).methods


async def test_of_an_account_that_was_taken_over_nothing_stays_whatever_is_asked(world: World) -> None:
    await robbed(world)
    done = await give(world, AGAIN, keeps_password=True, keeps_recovery_email=True)
    assert (done.kept.password, done.kept.recovery_email, done.kept.second_factors) == (False, None, ())
    assert done.account.password_hash is None


async def test_a_recovery_address_that_becomes_the_first_is_none_any_more_and_hears_it_once(world: World) -> None:
    await set_second(world, await world.signed_in())
    before = len(await world.mail(SECOND))
    await give(world, HANAKO, SECOND, Case.LOST_MAILBOX, keeps_recovery_email=True)
    (letter,) = (await world.mail(SECOND))[before:]
    assert letter.subject == "Your account at Sekisho has this address now"


async def test_V6_3_7_every_mailbox_is_told_and_former_ones_get_nothing_to_undo_it_with(world: World) -> None:
    thief = await robbed(world)
    before = len(await world.mail())
    await give(world, AGAIN)
    letters = {letter.to: letter for letter in (await world.mail())[before:]}
    assert set(letters) == {NEW, AGAIN, SECOND}
    for to in (AGAIN, SECOND):
        assert NEW not in letters[to].text
        assert not _NOT_ME.search(letters[to].text)
        assert thief.account.id in letters[to].text, "an owner who was wronged is found by it"
    assert "Forgot your password?" in letters[NEW].text


async def test_a_thief_cannot_use_the_code_of_any_letter_from_before(world: World) -> None:
    thief = await robbed(world)
    codes = {
        email: _NOT_ME.findall(letter.text)[0]
        for email in (HANAKO, THIEF, AGAIN)
        for letter in await world.mail(email)
        if _NOT_ME.search(letter.text)
    }
    assert set(codes) == {HANAKO, THIEF, AGAIN}
    await give(world, AGAIN)
    await reset(world)
    owner = await world.login(NEW, PHRASE)
    for email, code in codes.items():
        with pytest.raises(InvalidCode):
            await not_me(NotMe(email, code, ELSEWHERE), world.edge.not_me)
    assert await world.is_live(owner)
    assert thief.account.id == owner.account.id


async def test_codes_and_tokens_that_are_under_way_die(world: World) -> None:
    thief = await world.signed_in(origin=ELSEWHERE)
    who, mailed = principal_of(thief), world.edge.email_change
    await send_email_code(SendEmailCode(THIEF, PASSWORD, ELSEWHERE), who, mailed)
    change = VerifyEmailCode(THIEF, await world.code(THIEF), ELSEWHERE)
    second = world.edge.recovery_email
    await send_recovery_email_code(SendRecoveryEmailCode(SECOND, PASSWORD, ELSEWHERE), who, second)
    recovery = VerifyRecoveryEmailCode(SECOND, await world.code(SECOND), ELSEWHERE)
    flows = world.edge.password_reset
    await send_reset_code(SendResetCode(HANAKO, "en", ELSEWHERE), flows)
    allowed = await verify_reset_code(VerifyResetCode(HANAKO, await world.code(), ELSEWHERE), flows)
    await send_reset_code(SendResetCode(HANAKO, "en", ELSEWHERE), flows)
    typed = VerifyResetCode(HANAKO, await world.code(), ELSEWHERE)

    done = await give(world, HANAKO)
    with pytest.raises(InvalidCode):
        await verify_email_code(change, who, mailed)
    with pytest.raises(InvalidCode):
        await verify_recovery_email_code(recovery, who, second)
    with pytest.raises(InvalidCode):
        await verify_reset_code(typed, flows)
    with pytest.raises(ResetTokenInvalid):
        await complete_reset(CompleteReset(allowed.reset_token, PHRASE, ELSEWHERE), flows)
    assert await world.account(NEW) == done.account


async def test_an_address_of_another_account_is_refused_and_nothing_is_taken(world: World) -> None:
    pair = await world.signed_in()
    await world.account(JIRO)
    before = await world.account()
    with pytest.raises(EmailAlreadyExists):
        await give(world, HANAKO, JIRO.upper())
    assert await world.account() == before
    assert await world.is_live(pair)
    assert await world.mail() == []


async def test_of_two_accounts_that_are_given_one_address_one_gets_it(world: World) -> None:
    people = [await world.account(), await world.account(JIRO)]
    done = await gather(*(give(world, each.id) for each in people), return_exceptions=True)
    assert {type(each) for each in done} == {GivenBack, EmailAlreadyExists}


async def test_the_same_address_changes_nothing(world: World) -> None:
    await world.signed_in()
    await give(world, HANAKO)
    await reset(world)
    owner = await world.login(NEW, PHRASE)
    before = (await world.account(NEW), len(await world.audit()), len(await world.mail()))
    again = await set_email(SetEmail(who=NEW, email=NEW.upper(), case=Case.TAKEN_OVER), world.operator())
    assert again == HasItAlready(before[0])
    assert (await world.account(NEW), len(await world.audit()), len(await world.mail())) == before
    assert await world.is_live(owner)


async def test_an_own_address_that_was_never_verified_is_vouched_for_and_hears_it_once(world: World) -> None:
    claimed = Account(id=new_account_id(), email=JIRO, email_key=JIRO, is_verified=False, created_at=world.now)
    await world.store.apply(AddAccount(account=claimed))
    done = await give(world, JIRO, JIRO)
    assert done.account.is_verified
    assert [letter.to for letter in await world.mail()] == [JIRO]


async def test_a_disabled_account_stays_so_and_its_owner_is_told_to_wait(world: World) -> None:
    thief = await robbed(world)
    await disable_account(AGAIN, world.operator())
    done = await give(world, AGAIN)
    assert (done.account.status, done.account.email, done.ended) == (AccountStatus.DISABLED, NEW, 0)
    assert "the account is still blocked" in (await world.mail(NEW))[-1].text
    await enable_account(NEW, world.operator())
    await reset(world)
    assert (await world.login(NEW, PHRASE)).account.id == thief.account.id


async def test_an_account_that_is_not_there_or_has_withdrawn_gets_no_address(world: World) -> None:
    account = await world.account()
    with pytest.raises(NotFound):
        await give(world, "nobody@mail.test")
    with pytest.raises(ValidationError):
        await give(world, HANAKO, "nobody")
    await withdraw_account(HANAKO, world.operator())
    for who in (HANAKO, account.id):
        with pytest.raises(NotFound):
            await give(world, who)
    assert await world.store.find_account_by_email(NEW) is None


async def test_an_account_without_a_password_is_given_and_gets_one(world: World) -> None:
    await world.account(password_hash=None)
    done = await give(world, HANAKO)
    assert done.removed.password is False
    assert "Your account has no password." in (await world.mail(NEW))[-1].text
    await reset(world)
    await world.login(NEW, PHRASE)


async def move(world: World, thief: TokenPair) -> None:
    await move_to(world, thief, THIEF)


async def enrol(world: World, thief: TokenPair) -> None:
    await world.enrolled(thief)


async def come_in(world: World, thief: TokenPair) -> None:
    await world.login(thief.account.email, origin=ELSEWHERE)


async def come_back(world: World, thief: TokenPair) -> None:
    await world.refresh(thief.credential, origin=ELSEWHERE)


@pytest.mark.parametrize("act", [move, set_second, enrol, come_in, come_back])
async def test_what_a_thief_does_between_is_undone(
    world: World, act: Callable[[World, TokenPair], Awaitable[None]]
) -> None:
    thief = await world.signed_in(origin=ELSEWHERE)
    store = Meanwhile(world.store, lambda: act(world, thief))
    before = len(await world.mail())
    done = await give(world, HANAKO, bundle=replace(world.operator(), store=store))
    assert done.account.email == NEW
    assert await world.live_sessions(thief.account.id) == []
    assert await world.store.find_recovery_email(thief.account.id) is None
    assert await world.store.list_factors(thief.account.id) == []
    was = THIEF if act is move else HANAKO
    told = [
        letter.to for letter in (await world.mail())[before:] if "no longer the one of an account" in letter.subject
    ]
    assert told == [was], "the address that it had when it was given back"


async def test_a_thief_who_races_the_operator_is_out_in_the_end(world: World) -> None:
    thief = await world.signed_in(origin=ELSEWHERE)
    who, flows = principal_of(thief), world.edge.email_change
    await send_email_code(SendEmailCode(THIEF, PASSWORD, ELSEWHERE), who, flows)
    change = VerifyEmailCode(THIEF, await world.code(THIEF), ELSEWHERE)
    results = await gather(
        give(world, thief.account.id),
        verify_email_code(change, who, flows),
        *(world.login(origin=ELSEWHERE) for _ in range(3)),
        *(world.refresh(thief.credential, origin=ELSEWHERE) for _ in range(3)),
        return_exceptions=True,
    )
    assert isinstance(results[0], GivenBack)
    after = await world.account(NEW)
    assert (after.id, after.password_hash) == (thief.account.id, None)
    assert await world.live_sessions(after.id) == []
    for pair in results[2:]:
        assert not isinstance(pair, TokenPair) or not await world.is_live(pair)
    assert await world.store.find_account_by_email(THIEF) is None


async def test_an_operator_who_is_overtaken_again_and_again_has_changed_nothing(world: World) -> None:
    account = await world.account()
    apply, tries = world.store.apply, []

    async def overtaken(*changes: Change) -> Outcome:
        tries.append(changes)
        raised = SetPassword(
            account_id=account.id,
            security_version=account.security_version + len(tries) - 1,
            password_hash=account.password_hash,
        )
        assert (await apply(raised)).lost is None
        return await apply(*changes)

    store = Meanwhile(world.store, nothing)
    store.apply = overtaken  # type: ignore[method-assign]
    request = SetEmail(who=HANAKO, email=NEW, case=Case.TAKEN_OVER)
    done = await set_email(request, replace(world.operator(), store=store))
    assert isinstance(done, Overtaken)
    assert len(tries) == TRIES
    assert (await world.account()).email == HANAKO
    assert await world.mail() == []


async def nothing() -> None:
    pass


async def test_an_account_is_named_by_the_address_that_a_thief_took_from_it(world: World) -> None:
    thief, at = await robbed(world), iso_time(world.now - 30_000)  # the enrolment let half a minute pass
    for former in (HANAKO.upper(), THIEF):
        with pytest.raises(NotFound) as refused:
            await find_account(former, world.operator())
        assert refused.value.details == {"account_id": thief.account.id, "until": at}
    await give(world, AGAIN)
    for unknown in (AGAIN, SECOND, "nobody@mail.test"):
        with pytest.raises(NotFound) as refused:
            await find_account(unknown, world.operator())
        assert refused.value.details is None
    with pytest.raises(NotFound) as refused:
        await find_account(HANAKO, world.operator())
    assert refused.value.details is not None


async def test_whose_an_address_was_is_known_for_a_week_and_never_of_who_left(world: World) -> None:
    thief = await robbed(world)
    world.clock.advance(days=6)
    with pytest.raises(NotFound) as refused:
        await find_account(HANAKO, world.operator())
    assert refused.value.details is not None
    await withdraw_account(thief.account.id, world.operator())
    with pytest.raises(NotFound) as refused:
        await find_account(HANAKO, world.operator())
    assert refused.value.details is None

    again = await world.signed_in(JIRO)
    await move_to(world, again, NEW)
    world.clock.advance(days=7)
    with pytest.raises(NotFound) as refused:
        await find_account(JIRO, world.operator())
    assert refused.value.details is None


async def test_a_withdrawal_afterwards_leaves_no_trace_of_any_address(world: World) -> None:
    await robbed(world)
    done = await give(world, AGAIN)
    await withdraw_account(done.account.id, world.operator())
    await world.stop()
    kept = world.files()
    await world.start()
    for email in (HANAKO, THIEF, AGAIN, SECOND, NEW):
        assert email.encode() not in kept
