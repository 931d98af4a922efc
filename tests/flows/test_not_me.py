"""Not me: the code of a letter ends everything that somebody else may hold, for who has the letter and nobody else."""

from __future__ import annotations

import re
from asyncio import gather
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from msgspec.structs import replace

from flows.counting import Meanwhile
from sekisho.admin.accounts import force_password_change
from sekisho.errors import InvalidCode, InvalidCredentials, RateLimitExceeded, RefreshTokenInvalid, ValidationError
from sekisho.flows.email_change import SendEmailCode, VerifyEmailCode, send_email_code, verify_email_code
from sekisho.flows.factors import remove
from sekisho.flows.not_me import EverythingEnded, NotMe, NotMeWorld, not_me
from sekisho.flows.password_change import PasswordChange, change_password
from sekisho.flows.password_reset import (
    CompleteReset,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.flows.withdrawal import withdraw
from sekisho.model import AccountStatus, EndReason, Origin
from sekisho.not_me_codes import PURPOSE, parse_not_me_code
from sekisho.ports.changes import Change, OneTimeCode, PutCode, QueueMail, SetAccountStatus
from sekisho.ports.storage import Outcome
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, JIRO, PASSWORD, World, a_network, principal_of

pytestmark = pytest.mark.anyio

_CODE = re.compile(r"(?<![0-9A-Z-])[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}(?![0-9A-Z-])")
WRONG = "0000-0000-0000-0000"


async def code_of(world: World, to: str = HANAKO, number: int = -1) -> str:
    """Return the code of a letter that has one; the newest."""
    found = [code[0] for each in await world.mail(to) if (code := _CODE.search(each.text))]
    return found[number]


async def warned(world: World) -> str:
    """Let somebody sign in from elsewhere with the right password; return the code of the letter about it."""
    await world.signed_in()
    await world.signed_in(origin=ELSEWHERE)
    return await code_of(world)


async def disown(
    world: World, code: str, email: str = HANAKO, *, origin: Origin = HOME, bundle: NotMeWorld | None = None
) -> EverythingEnded:
    return await not_me(NotMe(email, code, origin), bundle or world.edge.not_me)


async def test_V6_3_7_the_code_of_a_letter_ends_every_session_and_the_password(world: World) -> None:
    await world.signed_in()
    thief = await world.signed_in(origin=ELSEWHERE)
    before = await world.account()
    await disown(world, await code_of(world))

    assert await world.live_sessions(thief.account.id) == []
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(thief.credential, origin=ELSEWHERE)
    with pytest.raises(InvalidCredentials) as refused:
        await world.login(password=PASSWORD)
    assert refused.value.detail == "no_password"
    after = await world.account()
    assert after.password_hash is None
    assert after.security_version > before.security_version
    (line,) = await world.audit("not_me")
    assert (line.outcome, line.account_id) == ("success", after.id)
    ends = await world.audit("session_ended")
    assert {each.reason for each in ends} == {EndReason.PASSWORD_CHANGED}
    letter = (await world.mail(HANAKO))[-1].text
    assert "Forgot your password?" in letter
    assert "a second factor that you never set up" in letter, "the thief's stays, and its owner cannot pass it"


async def test_afterwards_a_reset_by_mail_gives_a_new_password(world: World) -> None:
    await disown(world, await warned(world))
    await reset(world)
    await world.login(password="thirteen loud crickets")


async def test_a_code_works_once_and_of_many_at_once_one_wins(world: World) -> None:
    code = await warned(world)
    done = await gather(*(disown(world, code, origin=a_network(each)) for each in range(20)), return_exceptions=True)
    assert [each for each in done if not isinstance(each, InvalidCode)] == [EverythingEnded(by_former_address=False)]
    assert len(await world.audit("not_me", outcome="success")) == 1
    with pytest.raises(InvalidCode):
        await disown(world, code)


async def test_it_may_be_typed_as_people_type(world: World) -> None:
    code = await warned(world)
    await disown(world, f" {code.lower().replace('-', ' ')} ")


async def test_the_newest_letter_counts_and_a_code_lives_a_week(world: World) -> None:
    old = await warned(world)
    world.clock.advance(minutes=90)
    await world.signed_in(origin=Origin(ip="192.0.2.44", user_agent="okhttp/4.12.0"))
    new = await code_of(world)
    assert new != old
    with pytest.raises(InvalidCode):
        await disown(world, old)
    world.clock.advance(days=7)
    with pytest.raises(InvalidCode):
        await disown(world, new)


async def test_V6_3_8_wrong_unknown_and_disabled_are_one_answer_that_changes_nothing(world: World) -> None:
    code = await warned(world)
    await world.account(JIRO)
    for email, typed in ((HANAKO, WRONG), (JIRO, code), ("nobody@mail.test", code)):
        with pytest.raises(InvalidCode) as refused:
            await disown(world, typed, email)
        assert refused.value.detail == "code_gone"
    hanako = await world.account()
    active, disabled = AccountStatus.ACTIVE.value, AccountStatus.DISABLED.value
    await world.store.apply(SetAccountStatus(account_id=hanako.id, expected=active, status=disabled))
    with pytest.raises(InvalidCode):
        await disown(world, code)
    await world.store.apply(SetAccountStatus(account_id=hanako.id, expected=disabled, status=active))
    assert len(await world.audit("not_me", outcome="failure")) == 4
    assert len(await world.live_sessions(hanako.id)) == 2


async def test_V6_3_8_a_wrong_code_is_the_same_work_with_and_without_an_account(world: World) -> None:
    await world.account()
    done: list[list[type[Change]]] = []
    apply = world.store.apply

    async def note(*changes: Change) -> Outcome:
        done[-1] += [type(each) for each in changes]
        return await apply(*changes)

    store = Meanwhile(world.store, _nothing)
    store.apply = note  # type: ignore[method-assign]
    for email in (HANAKO, "nobody@mail.test"):
        done.append([])
        with pytest.raises(InvalidCode):
            await disown(world, WRONG, email, bundle=replace(world.edge.not_me, store=store))
    assert done[0] == done[1]
    assert QueueMail in done[1]


async def _nothing() -> None:
    pass


async def test_a_thief_uses_nothing_up_by_wrong_codes_and_is_slowed_by_network(world: World) -> None:
    code = await warned(world)
    for _ in range(50):
        with pytest.raises(InvalidCode):
            await disown(world, WRONG, origin=ELSEWHERE)
    with pytest.raises(RateLimitExceeded):
        await disown(world, WRONG, origin=ELSEWHERE)
    await disown(world, code)


@pytest.mark.parametrize("typed", ["", "123456", "0000-0000-0000-000", "0000-0000-0000-000U", "x" * 65])
async def test_what_cannot_be_a_code_is_no_try(world: World, typed: str) -> None:
    with pytest.raises(ValidationError):
        await disown(world, typed)
    assert await world.audit("not_me") == []


async def test_the_code_of_who_left_opens_nothing_for_who_has_the_address_next(world: World) -> None:
    code = await warned(world)
    pair = await world.signed_in()
    await withdraw(PASSWORD, principal_of(pair), HOME, world.edge.withdrawal)
    await world.account()
    with pytest.raises(InvalidCode):
        await disown(world, code)


async def test_what_changes_meanwhile_refuses_the_code(world: World) -> None:
    code = await warned(world)
    hanako = await world.account()
    bundle = replace(world.edge.not_me, store=Meanwhile(world.store, partial(off_and_on, world)))
    with pytest.raises(InvalidCode) as refused:
        await disown(world, code, bundle=bundle)
    assert refused.value.detail == "changed_meanwhile"
    assert len(await world.live_sessions(hanako.id)) == 2


async def off_and_on(world: World, email: str = HANAKO) -> None:
    hanako = await world.account(email)
    active, disabled = AccountStatus.ACTIVE.value, AccountStatus.DISABLED.value
    await world.store.apply(SetAccountStatus(account_id=hanako.id, expected=active, status=disabled))
    await world.store.apply(SetAccountStatus(account_id=hanako.id, expected=disabled, status=active))


async def reset(world: World) -> None:
    await send_reset_code(SendResetCode(HANAKO, "en", HOME), world.edge.password_reset)
    code = VerifyResetCode(HANAKO, await world.code(), HOME)
    token = (await verify_reset_code(code, world.edge.password_reset)).reset_token
    await complete_reset(CompleteReset(token, "thirteen loud crickets", HOME), world.edge.password_reset)


async def change(world: World) -> None:
    pair = await world.signed_in()
    wanted = PasswordChange(current_password=PASSWORD, password="thirteen loud crickets")
    await change_password(wanted, principal_of(pair), HOME, world.edge.password_change)


async def add_a_factor(world: World) -> None:
    await world.enrolled(await world.signed_in())


async def remove_a_factor(world: World) -> None:
    pair = await world.signed_in()
    enrolled = await world.enrolled(pair)
    await remove(enrolled.factor_id, principal_of(pair), HOME, world.edge.factors)


async def forced(world: World) -> None:
    await force_password_change(HANAKO, world.operator())


@pytest.mark.parametrize("set_right", [reset, change, add_a_factor, remove_a_factor, forced, off_and_on])
async def test_old_mail_ends_nothing_that_the_owner_has_set_right(
    world: World, set_right: Callable[[World], Awaitable[None]]
) -> None:
    """Also where no newer letter has put its code in the place of the old one: here that is put back."""
    old = await warned(world)
    codes, hanako = world.edge.not_me.codes, await world.account()
    was = OneTimeCode(
        id=codes.id_of(HANAKO),
        purpose=PURPOSE,
        code_hash=codes.hash(hanako, HANAKO, parse_not_me_code(old)),
        expires_at=world.now + 1_000_000,
    )
    await set_right(world)
    await world.store.apply(PutCode(code=was))
    before = await world.account()
    with pytest.raises(InvalidCode) as refused:
        await disown(world, old)
    assert refused.value.detail == "code_gone"
    assert await world.account() == before


@pytest.mark.parametrize("told", [reset, change, add_a_factor, remove_a_factor])
async def test_the_letter_about_a_change_has_a_code_that_works_after_it(
    world: World, told: Callable[[World], Awaitable[None]]
) -> None:
    await world.signed_in()
    await told(world)
    await disown(world, await code_of(world))
    assert await world.live_sessions((await world.account()).id) == []


NEW = "taken@mail.test"


async def robbed(world: World, email: str = NEW) -> TokenPair:
    """Let somebody who knows the password give the account another address; return that session."""
    await world.signed_in()
    thief = await world.signed_in(origin=ELSEWHERE)
    await move_to(world, thief, email)
    return thief


async def move_to(world: World, pair: TokenPair, email: str) -> None:
    who, flows = principal_of(pair), world.edge.email_change
    await send_email_code(SendEmailCode(email, PASSWORD, ELSEWHERE), who, flows)
    await verify_email_code(VerifyEmailCode(email, await world.code(email), ELSEWHERE), who, flows)


async def test_V6_3_7_the_letter_to_the_former_address_ends_everything_and_leaves_the_new_address(world: World) -> None:
    thief = await robbed(world)
    ended = await disown(world, await code_of(world, HANAKO))
    assert ended.by_former_address
    assert not await world.is_live(thief)
    after = await world.account(NEW)
    assert (after.id, after.password_hash, after.email, after.is_verified) == (thief.account.id, None, NEW, True)
    (line,) = await world.audit("not_me")
    assert (line.outcome, line.reason, line.account_id) == ("success", "former_address", after.id)
    assert not any(_CODE.search(each.text) for each in await world.mail(NEW) if "address" in each.subject)


async def test_the_thief_cannot_kill_the_code_of_the_former_address(world: World) -> None:
    thief = await robbed(world)
    code = await code_of(world, HANAKO)
    await world.enrolled(thief)
    await move_to(world, thief, "again@mail.test")
    await off_and_on(world, "again@mail.test")
    await disown(world, code)
    assert not await world.is_live(thief)


async def test_of_many_at_once_with_the_code_of_the_former_address_one_wins(world: World) -> None:
    await robbed(world)
    code = await code_of(world, HANAKO)
    done = await gather(*(disown(world, code, origin=a_network(each)) for each in range(20)), return_exceptions=True)
    assert sum(not isinstance(each, InvalidCode) for each in done) == 1
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)


async def test_the_code_of_the_former_address_lives_a_week_and_is_for_that_address(world: World) -> None:
    thief = await robbed(world)
    code = await code_of(world, HANAKO)
    for typed, email in ((code, NEW), (WRONG, HANAKO)):
        with pytest.raises(InvalidCode, match="code_gone"):
            await disown(world, typed, email)
    world.clock.advance(days=7)
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)
    assert await world.is_live(thief)


async def test_it_is_no_good_once_the_address_belongs_to_an_account_again(world: World) -> None:
    pair = await robbed(world)
    code = await code_of(world, HANAKO)
    await move_to(world, pair, HANAKO)
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)
    assert await world.is_live(pair)


async def test_who_has_the_former_address_next_is_not_touched_by_its_code(world: World) -> None:
    await robbed(world)
    code = await code_of(world, HANAKO)
    other = await world.signed_in()
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)
    assert await world.is_live(other)


async def test_V6_3_8_the_code_of_the_former_address_does_nothing_to_who_left_or_is_disabled(world: World) -> None:
    thief = await robbed(world)
    code = await code_of(world, HANAKO)
    await world.disable(thief.account.id)
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)
    await world.store.apply(SetAccountStatus(account_id=thief.account.id, expected="disabled", status="active"))
    await withdraw(PASSWORD, principal_of(thief), HOME, world.edge.withdrawal)
    with pytest.raises(InvalidCode, match="code_gone"):
        await disown(world, code)


async def test_codes_of_former_addresses_end_where_an_operator_says_so_and_later_ones_do_not(world: World) -> None:
    thief = await robbed(world)
    await move_to(world, thief, "again@mail.test")
    await world.store.apply(PutCode(code=world.edge.not_me.codes.ending_former(thief.account.id, world.now)))
    for email in (HANAKO, NEW):
        with pytest.raises(InvalidCode, match="code_gone"):
            await disown(world, await code_of(world, email), email)
    assert await world.is_live(thief)
    world.clock.advance(seconds=1)
    await move_to(world, thief, "third@mail.test")
    await disown(world, await code_of(world, "again@mail.test"), "again@mail.test")
    assert not await world.is_live(thief)


async def test_the_mark_of_one_account_ends_no_code_of_another(world: World) -> None:
    thief, jiro = await robbed(world), await world.account(JIRO)
    await world.store.apply(PutCode(code=world.edge.not_me.codes.ending_former(jiro.id, world.now)))
    await disown(world, await code_of(world, HANAKO))
    assert not await world.is_live(thief)


async def test_what_is_stored_for_a_former_address_names_no_account(world: World) -> None:
    thief = await robbed(world)
    stored = await world.store.find_one_time_code(world.edge.not_me.codes.id_of(HANAKO))
    assert stored is not None
    assert thief.account.id.encode() not in stored.code_hash
