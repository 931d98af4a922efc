"""Accounts in the operator's hands: what is added can sign in, what is disabled cannot, what is erased is gone."""

from __future__ import annotations

import pytest

from admin.operator import operator_of
from sekisho.admin.accounts import (
    NewAccount,
    add_account,
    change_roles,
    disable_account,
    enable_account,
    find_account,
    force_password_change,
    list_accounts,
    unlock,
    withdraw_account,
)
from sekisho.errors import (
    EmailAlreadyExists,
    InvalidCode,
    InvalidCredentials,
    NotFound,
    RateLimitExceeded,
    RefreshTokenInvalid,
    ValidationError,
)
from sekisho.flows.password_reset import (
    CompleteReset,
    SendResetCode,
    VerifyResetCode,
    complete_reset,
    send_reset_code,
    verify_reset_code,
)
from sekisho.model import AccountStatus
from world import HANAKO, HOME, PASSWORD, World, a_network

pytestmark = pytest.mark.anyio


async def test_an_added_account_can_sign_in_and_is_audited(world: World) -> None:
    account = await add_account(NewAccount(email=HANAKO, password=PASSWORD, roles=("admin",)), operator_of(world))
    pair = await world.login(HANAKO, PASSWORD)
    assert (pair.account.id, pair.account.roles, pair.account.is_verified) == (account.id, ("admin",), True)
    (line,) = await world.audit("account_added")
    assert (line.actor, line.account_id, line.outcome) == ("operator", account.id, "success")


async def test_an_account_added_without_a_password_lets_nobody_in(world: World) -> None:
    await add_account(NewAccount(email=HANAKO), operator_of(world))
    with pytest.raises(InvalidCredentials) as refused:
        await world.login(HANAKO, PASSWORD)
    assert refused.value.detail == "no_password"


async def test_an_address_has_one_account_whatever_its_case(world: World) -> None:
    await add_account(NewAccount(email=HANAKO), operator_of(world))
    with pytest.raises(EmailAlreadyExists):
        await add_account(NewAccount(email=HANAKO.upper()), operator_of(world))
    assert len(await world.audit("account_added")) == 1


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        (NewAccount(email="nobody"), {"email": "invalid_email"}),
        (
            NewAccount(email=HANAKO, password="short"),
            {"password": "too_short", "password_hints": ["single_word", "add_words"]},
        ),
        (NewAccount(email=HANAKO, roles=("two words",)), {"roles": "invalid_characters"}),
        (NewAccount(email=HANAKO, roles=tuple(f"r{n}" for n in range(51))), {"roles": "too_many"}),
        (NewAccount(email=HANAKO, locale="xx"), {"locale": "invalid_choice"}),
    ],
)
async def test_what_is_not_acceptable_is_named_and_nothing_is_added(
    world: World, wrong: NewAccount, details: dict[str, str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        await add_account(wrong, operator_of(world))
    assert refused.value.details == details
    assert await list_accounts(operator_of(world)) == []


async def test_an_account_is_found_by_address_in_any_case_and_by_id(world: World) -> None:
    account = await world.account()
    assert await find_account(HANAKO.upper(), operator_of(world)) == account
    assert await find_account(account.id, operator_of(world)) == account
    for unknown in ("nobody@mail.test", "no-such-id"):
        with pytest.raises(NotFound):
            await find_account(unknown, operator_of(world))


async def test_the_list_pages_through_all_accounts_once(world: World) -> None:
    wanted = {(await world.account(f"person{number}@mail.test")).id for number in range(5)}
    first = await list_accounts(operator_of(world), limit=3)
    rest = await list_accounts(operator_of(world), after_id=first[-1].id, limit=3)
    assert (len(first), len(rest)) == (3, 2)
    assert {account.id for account in first + rest} == wanted


async def test_ASVS_7_4_2_disabling_ends_every_session_and_closes_the_door(world: World) -> None:
    pairs = [await world.signed_in() for _ in range(2)]
    done = await disable_account(HANAKO, operator_of(world))
    assert (done.account.status, done.ended) == (AccountStatus.DISABLED, 2)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(pairs[0].credential)
    with pytest.raises(InvalidCredentials):
        await world.login()
    ends = await world.audit("session_ended")
    assert {(line.reason, line.actor) for line in ends} == {("account_disabled", "operator")}
    assert len(ends) == 2
    journal = await world.store.read_journal(0)
    assert {entry.value for entry in journal.entries} == {pair.session.id for pair in pairs}


async def test_disabling_twice_changes_and_records_nothing_more(world: World) -> None:
    await world.account()
    first = await disable_account(HANAKO, operator_of(world))
    again = await disable_account(HANAKO, operator_of(world))
    assert again.account == first.account
    assert len(await world.audit("account_disabled")) == 1


async def test_an_enabled_account_can_sign_in_again_but_old_sessions_stay_ended(world: World) -> None:
    pair = await world.signed_in()
    await disable_account(HANAKO, operator_of(world))
    await enable_account(HANAKO, operator_of(world))
    await world.login()
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(pair.credential)
    assert [line.actor for line in await world.audit("account_enabled")] == ["operator"]


async def test_roles_are_added_and_removed_without_touching_the_others(world: World) -> None:
    await world.account()
    await change_roles(HANAKO, operator_of(world), add=("admin", "editor"))
    account = await change_roles(HANAKO, operator_of(world), add=("viewer", "editor"), remove=("admin", "nothing"))
    assert account.roles == ("editor", "viewer")
    assert await find_account(HANAKO, operator_of(world)) == account
    await change_roles(HANAKO, operator_of(world), add=("viewer",))
    assert len(await world.audit("roles_changed")) == 2


@pytest.mark.parametrize("is_disabled", [False, True])
async def test_a_withdrawn_account_is_erased_and_its_address_free(world: World, is_disabled: bool) -> None:
    pair = await world.signed_in()
    if is_disabled:
        await disable_account(HANAKO, operator_of(world))
    done = await withdraw_account(HANAKO, operator_of(world))
    assert (done.account.status, done.account.email, done.account.password_hash) == (AccountStatus.WITHDRAWN, "", None)
    assert not await world.is_live(pair)
    assert {(line.ip, line.user_agent) for line in await world.audit() if line.account_id == pair.account.id} == {
        ("", "")
    }
    assert [line.actor for line in await world.audit("withdrawal")] == ["operator"]
    assert len(await world.mail(HANAKO)) == 1 + is_disabled
    await add_account(NewAccount(email=HANAKO), operator_of(world))


async def test_nothing_can_be_done_to_a_withdrawn_account(world: World) -> None:
    account = await world.account()
    operator = operator_of(world)
    await withdraw_account(account.id, operator)
    for change in (disable_account, enable_account, withdraw_account):
        with pytest.raises(NotFound) as refused:
            await change(account.id, operator)
        assert refused.value.detail == "withdrawn"
    with pytest.raises(NotFound):
        await change_roles(account.id, operator, add=("admin",))


async def test_V6_4_6_N_05_an_operator_takes_a_password_away_and_the_owner_chooses_the_next(world: World) -> None:
    pair = await world.signed_in()
    done = await force_password_change(HANAKO, operator_of(world))
    assert (done.ended, done.account.password_hash) == (1, None)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(pair.credential)
    with pytest.raises(InvalidCredentials, match="no_password"):
        await world.login()
    (letter,) = await world.mail(HANAKO)
    assert letter.subject == "Please choose a new password at Sekisho"

    reset = world.edge.password_reset
    await send_reset_code(SendResetCode(HANAKO, "en", HOME), reset)
    allowed = await verify_reset_code(VerifyResetCode(HANAKO, await world.code(), HOME), reset)
    await complete_reset(CompleteReset(allowed.reset_token, "thirteen loud crickets", HOME), reset)
    assert (await world.login(password="thirteen loud crickets")).account.id == pair.account.id
    (line,) = await world.audit("password_change_forced")
    assert (line.actor, line.account_id) == ("operator", pair.account.id)


async def test_a_password_that_its_owner_could_not_reset_is_not_taken_away(world: World) -> None:
    account = await world.account()
    await world.disable(account.id)
    with pytest.raises(NotFound):
        await force_password_change(HANAKO, operator_of(world))
    with pytest.raises(NotFound):
        await force_password_change("ren@mail.test", operator_of(world))
    assert await world.mail() == []


async def test_an_unlocked_address_may_try_again_at_once(world: World) -> None:
    await world.account()
    for number in range(22):
        with pytest.raises((InvalidCredentials, RateLimitExceeded)):
            await world.login(password="wrong one", origin=a_network(number))
    with pytest.raises(RateLimitExceeded):
        await world.login(origin=a_network(99))
    await unlock(HANAKO, operator_of(world))
    await world.login(origin=a_network(99))


async def test_an_unlocked_account_may_show_its_second_factor_again_at_once(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    wrong, number = enrolled.app.wrong_code(), 0
    with pytest.raises(RateLimitExceeded):  # noqa: PT012 - which of them is refused does not matter
        for number in range(30):
            with pytest.raises(InvalidCode):
                await world.answer(await world.asked(), wrong, origin=a_network(number))
    await unlock(HANAKO, operator_of(world))
    await world.answer(await world.asked(), enrolled.app.code(), origin=a_network(number))


async def test_wrong_codes_from_one_network_are_cleared_by_its_address(world: World) -> None:
    enrolled = await world.enrolled(await world.signed_in())
    for _ in range(10):
        with pytest.raises(InvalidCode):
            await world.answer(await world.asked(), enrolled.app.wrong_code())
    await unlock(HANAKO, operator_of(world))
    with pytest.raises(RateLimitExceeded):
        await world.answer(await world.asked(), enrolled.app.code())
    await unlock(HANAKO, operator_of(world), ip=HOME.ip)
    await world.answer(await world.asked(), enrolled.app.code())


async def test_what_one_network_did_is_cleared_by_its_address(world: World) -> None:
    account = await world.account()
    for _ in range(5):
        with pytest.raises(InvalidCredentials):
            await world.login(password="wrong one")
    await unlock(account.id, operator_of(world))
    with pytest.raises(RateLimitExceeded):
        await world.login()
    assert await unlock(HANAKO, operator_of(world), ip=HOME.ip) is not None
    await world.login()
    assert await unlock("nobody@mail.test", operator_of(world)) is None
    lines = await world.audit("account_unlocked")
    assert [(line.actor, line.account_id) for line in lines] == [
        ("operator", account.id),
        ("operator", account.id),
        ("operator", ""),
    ]
