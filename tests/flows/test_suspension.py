"""Suspension: who reads the mailbox of an account with an app has one of two steps, and its owner loses nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from flows.counting import CountingReads, Meanwhile
from flows.factor_owner import Owner
from sekisho.admin.accounts import force_password_change, reset_factors
from sekisho.admin.overview import look_at
from sekisho.errors import FactorLocked, ResetTokenInvalid, SessionNotFound, StepUpRequired, ValidationError
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.password_reset import (
    CompleteReset,
    PasswordResetWorld,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.flows.recovery_codes import new_recovery_codes
from sekisho.flows.second_factor import SendFactorCode, send_code
from sekisho.flows.step_up import StepUp, find_ways, step_up
from sekisho.flows.step_up import send_code as step_up_code
from sekisho.mfa.methods import MAX_FAILURES, Method
from sekisho.mfa.suspension import suspending
from sekisho.model import Account, AccountId, Factor, FactorKind
from sekisho.ports.factor_changes import CountFactorTry, RemoveFactor, SuspendFactor
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, App, World, principal_of

pytestmark = pytest.mark.anyio

NEW, NEWER = "thirteen loud crickets", "fourteen slow herons"
WAYS = (Method.TOTP, Method.RECOVERY_CODE)


class AfterFactors(Meanwhile):
    """A store in which something happens once, right after the factors were read."""

    async def find_account(self, account_id: Any) -> Account | None:
        return await self._store.find_account(account_id)

    async def list_factors(self, account_id: AccountId) -> list[Factor]:
        found = await self._store.list_factors(account_id)
        await self._let_it_happen()
        return found


class Home(NamedTuple):
    """A person with an authenticator app and codes by mail, and the session in which both were enrolled."""

    owner: Owner
    app: App
    app_id: str
    mail_id: str
    recovery_codes: tuple[str, ...]


@pytest.fixture
async def home(world: World) -> Home:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    owner = Owner(world, pair)
    mail = await owner.enrol("email")
    await owner.confirm(mail.id, await world.code())
    return Home(owner, enrolled.app, enrolled.factor_id, mail.id, enrolled.recovery_codes)


async def token_of(world: World) -> str:
    await send_reset_code(SendResetCode(HANAKO, "en", ELSEWHERE), world.edge.password_reset)
    request = VerifyResetCode(HANAKO, await world.code(), ELSEWHERE)
    return (await verify_reset_code(request, world.edge.password_reset)).reset_token


async def complete(world: World, token: str, password: str = NEW, *, bundle: PasswordResetWorld | None = None) -> None:
    await complete_reset(CompleteReset(token, password, ELSEWHERE), bundle or world.edge.password_reset)


async def set_anew(world: World, password: str = NEW) -> None:
    """Do what whoever reads the mailbox can do."""
    await complete(world, await token_of(world), password)
    world.clock.advance(minutes=6)


async def mail_of(world: World) -> Factor:
    (found,) = [
        one for one in await world.store.list_factors((await world.account()).id) if one.kind is FactorKind.EMAIL
    ]
    return found


async def by_mail(world: World, password: str = NEW) -> TokenPair:
    """Sign in with a mailed code."""
    asked = await world.asked(password=password)
    await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    return await world.answer(asked, await world.code(), method="email")


async def test_V6_4_3_V6_4_4_who_reads_the_mailbox_alone_finds_every_door_shut(world: World, home: Home) -> None:
    await set_anew(world)
    asked, letters = await world.asked(password=NEW), len(await world.mail())
    assert (asked.methods, asked.suspended) == (WAYS, (Method.EMAIL,))
    with pytest.raises(ValidationError, match="not available"):
        await send_code(SendFactorCode(asked.challenge, "email", ELSEWHERE), world.edge.second_factor)
    assert len(await world.mail()) == letters
    with pytest.raises(ValidationError, match="not available"):
        await world.answer(asked, "123456", method="email", origin=ELSEWHERE)
    assert [line.reason for line in await world.audit("second_factor")] == ["factor_suspended"]
    await set_anew(world, NEWER)  # once more changes nothing
    assert (await world.asked(password=NEWER)).methods == WAYS
    assert await world.live_sessions(home.owner.who.account_id) == []


async def test_V6_4_3_a_code_that_was_mailed_before_the_reset_is_worth_nothing_after_it(
    world: World, home: Home
) -> None:
    token = await token_of(world)
    before = await world.asked()
    await send_code(SendFactorCode(before.challenge, "email", HOME), world.edge.second_factor)
    code = await world.code()
    await complete(world, token)
    with pytest.raises(SessionNotFound, match="changed_meanwhile"):
        await world.answer(before, code, method="email")
    with pytest.raises(ValidationError, match="not available"):
        await world.answer(await world.asked(password=NEW), code, method="email")


@pytest.mark.parametrize("method", ["totp", "recovery_code"])
async def test_V6_4_3_once_something_else_was_shown_mailed_codes_count_again(
    world: World, home: Home, method: str
) -> None:
    await set_anew(world)
    assert (await mail_of(world)).suspended_at is not None
    code = home.app.code() if method == "totp" else home.recovery_codes[0]
    await world.answer(await world.asked(password=NEW), code, method=method)
    assert (await mail_of(world)).suspended_at is None
    asked = await world.asked(password=NEW)
    assert (asked.methods, asked.suspended) == ((*WAYS, Method.EMAIL), ())
    assert (await by_mail(world)).session.acr == "aal1"


async def test_V6_4_3_the_next_reset_by_mail_suspends_them_again(world: World, home: Home) -> None:
    await set_anew(world)
    await world.answer(await world.asked(password=NEW), home.app.code())
    await set_anew(world, NEWER)
    assert (await world.asked(password=NEWER)).methods == WAYS


async def test_V6_4_3_who_has_codes_by_mail_alone_is_locked_out_of_nothing(world: World) -> None:
    owner = Owner(world, await world.signed_in())
    mail = await owner.enrol("email")
    done = await owner.confirm(mail.id, await world.code())
    await set_anew(world)
    asked = await world.asked(password=NEW)
    assert (asked.methods, asked.suspended) == ((Method.RECOVERY_CODE, Method.EMAIL), ())
    back = Owner(world, await by_mail(world))
    assert done.recovery_codes
    begun = await back.enrol()  # an app that comes afterwards makes nothing of it worse
    await back.confirm(begun.id, back.app(begun).code())
    assert (await world.asked(password=NEW)).methods == (*WAYS, Method.EMAIL)
    assert await world.audit("factor_suspended") == []


async def test_V6_4_3_an_app_alone_and_no_factor_at_all_are_as_they_were(world: World) -> None:
    pair = await world.signed_in()
    await set_anew(world)
    pair = await world.login(password=NEW)
    await world.enrolled(pair)
    await set_anew(world, NEWER)
    asked = await world.asked(password=NEWER)
    assert (asked.methods, asked.suspended) == (WAYS, ())
    assert await world.audit("factor_suspended") == []


async def test_V6_4_3_a_phone_beside_mail_is_another_factor(world: World, home: Home) -> None:
    mail = await mail_of(world)
    account = await world.account()
    phone = replace(mail, id="phone", kind=FactorKind.SMS)
    assert isinstance(suspending(account, [mail, phone], HOME, world.now)[0], SuspendFactor)
    assert suspending(account, [mail, replace(phone, confirmed_at=None)], HOME, world.now) == ()


async def test_V6_4_3_no_order_of_removals_leaves_a_suspended_factor_alone(world: World, home: Home) -> None:
    await set_anew(world)
    account = await world.account()
    removing = RemoveFactor(factor_id=home.app_id, account_id=account.id, security_version=account.security_version)
    assert (await world.store.apply(removing)).lost is None  # no call does this without the app
    assert (await world.asked(password=NEW)).methods == (Method.RECOVERY_CODE, Method.EMAIL)
    assert (await by_mail(world)).session.acr == "aal1"


async def test_V6_4_4_beside_an_app_no_code_is_mailed_for_a_step_up(world: World, home: Home) -> None:
    pair = await by_mail(world, PASSWORD)
    who, letters = principal_of(pair), len(await world.mail())
    assert (await find_ways(who, world.edge.step_up)).methods == WAYS
    with pytest.raises(ValidationError, match="not available"):
        await step_up_code("email", who, HOME, world.edge.step_up)
    assert len(await world.mail()) == letters
    with pytest.raises(StepUpRequired):
        await step_up(StepUp(method="email", code="123456"), who, HOME, world.edge.step_up)
    with pytest.raises(StepUpRequired):
        await new_recovery_codes(who, HOME, world.edge.factors)


async def test_V6_4_3_a_change_by_who_is_signed_in_suspends_nothing(world: World, home: Home) -> None:
    change = PasswordChange(current_password=PASSWORD, password=NEW)
    await change_password(change, home.owner.who, HOME, world.edge.password_change)
    assert (await mail_of(world)).suspended_at is None


async def test_V6_4_3_a_password_that_was_taken_away_comes_back_by_mail_and_suspends_too(
    world: World, home: Home
) -> None:
    await force_password_change(HANAKO, world.operator())
    assert (await mail_of(world)).suspended_at is None
    await set_anew(world)
    assert (await world.asked(password=NEW)).methods == WAYS


async def test_V6_4_3_the_operator_s_reset_takes_the_suspended_factor_with_the_rest(world: World, home: Home) -> None:
    await set_anew(world)
    await reset_factors(HANAKO, world.operator())
    owner = Owner(world, await world.login(password=NEW))
    mail = await owner.enrol("email")
    await owner.confirm(mail.id, await world.code())
    assert (await mail_of(world)).suspended_at is None


async def test_V6_4_3_who_locks_the_app_by_guessing_brings_no_mailed_code_back(world: World, home: Home) -> None:
    await set_anew(world)
    counting = CountFactorTry(account_id=home.owner.who.account_id, kind=FactorKind.TOTP, max_failures=MAX_FAILURES)
    for _ in range(MAX_FAILURES):
        assert (await world.store.apply(counting)).lost is None
    asked = await world.asked(password=NEW)
    with pytest.raises(FactorLocked):
        await world.answer(asked, home.app.code())
    with pytest.raises(ValidationError, match="not available"):
        await send_code(SendFactorCode(asked.challenge, "email", HOME), world.edge.second_factor)
    await world.answer(asked, home.recovery_codes[0], method="recovery_code")


async def test_V6_4_3_a_refused_step_reactivates_nothing(world: World, home: Home) -> None:
    await set_anew(world)
    asked = await world.asked(password=NEW)
    with pytest.raises(Exception, match="wrong_code"):
        await world.answer(asked, home.app.wrong_code())
    with pytest.raises(Exception, match="wrong_code"):
        await world.answer(asked, "A" * 24, method="recovery_code")
    assert (await mail_of(world)).suspended_at is not None


async def test_V6_4_3_a_second_step_between_the_reset_s_reading_and_its_commit_undoes_no_suspension(
    world: World, home: Home
) -> None:
    await set_anew(world)
    token = await token_of(world)

    async def owner_signs_in() -> None:
        await world.answer(await world.asked(password=NEW), home.app.code())
        assert (await mail_of(world)).suspended_at is None

    bundle = replace(world.edge.password_reset, store=AfterFactors(world.store, owner_signs_in))
    await complete(world, token, NEWER, bundle=bundle)
    assert (await world.asked(password=NEWER)).methods == WAYS


async def test_V6_4_3_a_factor_that_is_confirmed_during_the_reset_loses_it(world: World) -> None:
    owner = Owner(world, await world.signed_in())
    mail = await owner.enrol("email")
    await owner.confirm(mail.id, await world.code())
    token = await token_of(world)

    async def app() -> None:
        begun = await owner.enrol()
        await owner.confirm(begun.id, owner.app(begun).code())

    bundle = replace(world.edge.password_reset, store=Meanwhile(world.store, app))
    with pytest.raises(ResetTokenInvalid, match="changed_meanwhile"):
        await complete(world, token, bundle=bundle)


async def test_V6_4_3_a_second_step_that_a_reset_overtakes_starts_and_reactivates_nothing(
    world: World, home: Home
) -> None:
    await set_anew(world)
    token, asked = await token_of(world), await world.asked(password=NEW)

    async def reset() -> None:
        await complete(world, token, NEWER)

    bundle = replace(world.edge.second_factor, store=AfterFactors(world.store, reset))
    with pytest.raises(SessionNotFound, match="changed_meanwhile"):
        await world.answer(asked, home.app.code(), world=bundle)
    assert (await mail_of(world)).suspended_at is not None
    assert await world.live_sessions(home.owner.who.account_id) == []


async def test_the_trail_says_when_codes_by_mail_stopped_counting_and_since_when_they_do_again(
    world: World, home: Home
) -> None:
    await set_anew(world)
    await world.answer(await world.asked(password=NEW), home.app.code())
    (off,), (on,) = await world.audit("factor_suspended"), await world.audit("factor_reactivated")
    assert (off.account_id, off.subject, off.ip) == (home.owner.who.account_id, home.mail_id, ELSEWHERE.ip)
    assert (on.account_id, on.subject, on.client_id, on.ip) == (off.account_id, off.subject, "web", HOME.ip)


async def test_an_operator_who_looks_sees_what_is_suspended(world: World, home: Home) -> None:
    await set_anew(world)
    seen = await look_at(HANAKO, world.operator())
    assert (seen.second_factors, seen.suspended_factors) == (("totp", "email"), ("email",))
    await world.answer(await world.asked(password=NEW), home.app.code())
    assert (await look_at(HANAKO, world.operator())).suspended_factors == ()


async def test_a_sign_in_reads_the_store_no_more_often_than_before(world: World, home: Home) -> None:
    reads = CountingReads(world.store)
    steps = world.edge.login.second_steps
    counted = type(steps)(reads, steps._trust, steps._requirement)  # type: ignore[arg-type]
    await world.asked(world=replace(world.edge.login, second_steps=counted))
    assert reads.calls == ["list_factors", "count_recovery_codes"]
