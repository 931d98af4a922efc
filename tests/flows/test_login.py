"""Login: one answer for everything that is wrong, limits that a race cannot pass, and no session from stale reads."""

from __future__ import annotations

import hashlib
from asyncio import gather
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import cast

import pytest
from msgspec.structs import replace

from flows.counting import CountingHashPool, Meanwhile
from sekisho.errors import InvalidCredentials, RateLimitExceeded, ValidationError
from sekisho.flows.login import LoginWorld
from sekisho.model import Account, EndReason, Origin, Transport
from sekisho.ports.changes import SetPassword
from sekisho.ports.storage import Store
from sekisho.sessions import TokenPair
from world import ELSEWHERE, HANAKO, HOME, PASSWORD, World, WorldWith, a_network, hash_of, with_device

pytestmark = pytest.mark.anyio

WRONG = "eleven loud lanterns"


@pytest.fixture
async def hashes() -> AsyncIterator[CountingHashPool]:
    pool = CountingHashPool()
    yield pool
    pool.close()


async def failed(world: World, times: int, *, email: str = HANAKO, origin: Origin = HOME) -> None:
    """Fail to log in this often, with a wrong password."""
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await world.login(email, WRONG, origin=origin)


async def an_account(world: World, kind: str) -> None:
    """Make the account that a login with `PASSWORD` (or `WRONG`) cannot get into."""
    match kind:
        case "unknown_account":
            pass
        case "wrong_password":
            await world.account(password_hash=hash_of(WRONG))
        case "account_disabled":
            await world.disable((await world.account()).id)
        case "no_password":
            await world.account(password_hash=None)


async def test_a_login_gives_a_session_with_what_a_person_recognises_it_by(world: World) -> None:
    pair = await world.signed_in(client_id="web:one-device-000000")
    row = await world.session(pair)
    assert (row.client_id, row.ip, row.device.name) == ("web:one-device-000000", HOME.ip, "Firefox on Linux")
    assert (row.amr, row.acr, row.auth_time_at) == (("pwd",), "aal1", world.now)


@pytest.mark.parametrize("transport", list(Transport))
async def test_the_transport_decides_what_is_taken_away(world: World, transport: Transport) -> None:
    pair = await world.signed_in(transport=transport)
    assert pair.session.transport is transport
    assert (pair.access_token is None) == (transport is Transport.SESSION)
    assert pair.credential.startswith("skr_") == (transport is not Transport.SESSION)


@pytest.mark.parametrize("kind", ["unknown_account", "wrong_password", "account_disabled", "no_password"])
async def test_V6_3_8_KA_089_whatever_is_wrong_the_answer_and_the_work_are_the_same(
    world: World, hashes: CountingHashPool, kind: str
) -> None:
    await an_account(world, kind)
    with pytest.raises(InvalidCredentials) as refused:
        await world.login(world=replace(world.edge.login, passwords=hashes))
    assert refused.value.detail == kind
    assert (refused.value.details, refused.value.retry_after) == (None, None)
    assert hashes.hashed == 1


@pytest.mark.parametrize("kind", ["unknown_account", "wrong_password", "account_disabled", "no_password"])
async def test_V16_3_1_a_failed_login_has_exactly_one_audit_record(world: World, kind: str) -> None:
    await an_account(world, kind)
    with pytest.raises(InvalidCredentials):
        await world.login()
    [line] = await world.audit()
    assert (line.event, line.outcome, line.reason, line.method) == ("login", "failure", kind, "pwd")
    assert (line.ip, line.client_id, bool(line.identifier_tag)) == (HOME.ip, "web", True)


async def test_V16_3_1_a_login_has_exactly_one_audit_record_that_names_its_session(world: World) -> None:
    pair = await world.signed_in()
    [line] = await world.audit()
    assert (line.event, line.outcome, line.method, line.device) == ("login", "success", "pwd", "Firefox on Linux")
    assert (line.account_id, line.session_id) == (pair.account.id, pair.session.id)


async def test_the_address_is_found_however_it_is_written(world: World) -> None:
    first = await world.signed_in(HANAKO)
    again = await world.login("HANAKO@Mail.TEST")
    assert again.account.id == first.account.id


async def test_what_has_no_good_form_is_refused_before_anything_is_counted(
    world: World, hashes: CountingHashPool
) -> None:
    bundle = replace(world.edge.login, passwords=hashes)
    with pytest.raises(ValidationError, match="email"):
        await world.login("hanako", world=bundle)
    with pytest.raises(ValidationError, match="client_id"):
        await world.login(client_id="web:", world=bundle)
    assert (hashes.hashed, await world.audit()) == (0, [])


async def test_V6_3_1_the_sixth_failure_within_five_minutes_is_not_even_hashed(
    world: World, hashes: CountingHashPool
) -> None:
    await world.account()
    await failed(world, 5)
    with pytest.raises(RateLimitExceeded) as refused:
        await world.login(world=replace(world.edge.login, passwords=hashes))
    assert (refused.value.retry_after, hashes.hashed) == (300, 0)


async def test_V6_3_1_the_limit_ends_after_five_minutes(world: World) -> None:
    await world.account()
    await failed(world, 5)
    world.clock.advance(minutes=5)
    assert isinstance(await world.login(), TokenPair)


async def test_V6_3_1_the_limit_survives_a_restart(world: World) -> None:
    await failed(world, 5)
    await world.restart()
    with pytest.raises(RateLimitExceeded):
        await world.login()


async def test_V6_3_1_parallel_guesses_do_not_pass_the_limit(world: World) -> None:
    await world.account()
    guesses = await gather(*(world.login(password=WRONG) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(guess, InvalidCredentials) for guess in guesses) == 5
    assert sum(isinstance(guess, RateLimitExceeded) for guess in guesses) == 15


async def test_the_limit_of_an_address_holds_in_one_network_only(world: World) -> None:
    await world.account()
    await failed(world, 5)
    assert isinstance(await world.login(origin=ELSEWHERE), TokenPair)


async def test_an_ipv6_network_is_a_64(world: World) -> None:
    for host in range(5):
        await failed(world, 1, origin=Origin(ip=f"2001:db8:0:7::{host + 1:x}"))
    with pytest.raises(RateLimitExceeded):
        await world.login(password=WRONG, origin=Origin(ip="2001:db8:0:7:ffff::1"))
    await failed(world, 1, origin=Origin(ip="2001:db8:0:8::1"))


async def test_a_success_gives_its_try_back_and_forgives_no_failure(world: World) -> None:
    await world.account()
    await failed(world, 4)
    for _ in range(3):
        await world.login()
    await failed(world, 1)
    with pytest.raises(RateLimitExceeded):
        await world.login()


async def test_KA_087_fifty_failures_of_one_network_stop_it_for_every_address(world: World) -> None:
    await gather(*(failed(world, 1, email=f"guess{number}@mail.test") for number in range(50)))
    with pytest.raises(RateLimitExceeded):
        await world.signed_in()
    assert isinstance(await world.login(origin=ELSEWHERE), TokenPair)


async def test_V6_3_1_from_twenty_failures_over_many_networks_the_delay_grows(world: World) -> None:
    await world.account()
    await gather(*(failed(world, 1, origin=a_network(number)) for number in range(20)))
    waits = []
    for number in range(20, 23):
        with pytest.raises(RateLimitExceeded) as refused:
            await world.login(origin=a_network(number))
        waits.append(refused.value.retry_after or 0)
        world.clock.advance(seconds=waits[-1])
        await failed(world, 1, origin=a_network(number))
    assert waits == [30, 60, 120]


async def test_V6_3_1_who_waits_out_the_delay_gets_in(world_with: WorldWith) -> None:
    world = await world_with({"limits.login_failures_per_day": 3})
    await world.account()
    await gather(*(failed(world, 1, origin=a_network(number)) for number in range(3)))
    world.clock.advance(seconds=30)
    assert isinstance(await world.login(), TokenPair)


@pytest.mark.parametrize("known_by", ["cookie", "client_id"])
async def test_a_device_that_signed_in_before_is_spared_the_delay_that_strangers_cause(
    world_with: WorldWith, known_by: str
) -> None:
    world = await world_with({"limits.login_failures_per_day": 3})
    cookie, client_id = ("f" * 32, "web") if known_by == "cookie" else ("", "web:6f1c6f1c6f1c6f1c6f1c")
    await world.signed_in(client_id=client_id, origin=with_device(HOME, cookie))
    await gather(*(failed(world, 1, origin=a_network(number)) for number in range(3)))
    with pytest.raises(RateLimitExceeded):
        await world.login(origin=ELSEWHERE)
    again = await world.login(client_id=client_id, origin=with_device(ELSEWHERE, cookie))
    assert isinstance(again, TokenPair)


async def test_a_device_that_never_signed_in_is_not_known(world_with: WorldWith) -> None:
    world = await world_with({"limits.login_failures_per_day": 3})
    stranger = with_device(ELSEWHERE, "e" * 32)
    await world.account()
    await failed(world, 1, origin=stranger)
    await gather(*(failed(world, 1, origin=a_network(number)) for number in range(2)))
    with pytest.raises(RateLimitExceeded):
        await world.login(origin=stranger)


async def change_password(world: World, account: Account) -> None:
    version, new_hash = account.security_version, hash_of("another quiet lantern")
    await world.store.apply(SetPassword(account_id=account.id, security_version=version, password_hash=new_hash))


@pytest.mark.parametrize("what", ["password", "standing"])
async def test_KA_090_a_login_that_was_hashing_while_the_account_changed_starts_nothing(
    world: World, what: str
) -> None:
    older = await world.signed_in()

    async def changes() -> None:
        await (change_password(world, older.account) if what == "password" else world.disable(older.account.id))

    bundle: LoginWorld = replace(world.edge.login, store=cast(Store, Meanwhile(world.store, changes)))
    with pytest.raises(InvalidCredentials) as refused:
        await world.login(world=bundle, replaces=older.session.id)
    assert refused.value.detail == "changed_meanwhile"
    assert [session.id for session in await world.live_sessions(older.account.id)] == [older.session.id]
    assert [line.reason for line in await world.audit("login", outcome="failure")] == ["changed_meanwhile"]


async def test_a_login_that_lost_to_a_change_has_not_been_given_its_try_back(world: World) -> None:
    account = await world.account()
    bundle = replace(
        world.edge.login, store=cast(Store, Meanwhile(world.store, lambda: change_password(world, account)))
    )
    with pytest.raises(InvalidCredentials):
        await world.login(world=bundle)
    await failed(world, 4)
    with pytest.raises(RateLimitExceeded):
        await world.login()


async def test_V7_1_2_the_sixth_session_ends_the_one_that_was_unused_the_longest(world: World) -> None:
    pairs = []
    for _ in range(5):
        pairs.append(await world.signed_in())
        world.clock.advance(seconds=1)
    await world.refresh(pairs[0].credential)
    world.clock.advance(seconds=1)
    await world.signed_in()
    assert [await world.is_live(pair) for pair in pairs] == [True, False, True, True, True]
    [line] = await world.audit("session_ended")
    assert (line.session_id, line.reason) == (pairs[1].session.id, EndReason.EVICTED)


async def test_V7_1_2_racing_logins_leave_five_sessions_and_one_record_for_each_that_ended(world: World) -> None:
    account = await world.account()
    await gather(*(world.signed_in(origin=a_network(number)) for number in range(9)))
    assert len(await world.live_sessions(account.id)) == 5
    ended = [line.session_id for line in await world.audit("session_ended")]
    assert (len(ended), len(set(ended))) == (4, 4)
    assert len(await world.audit("login", outcome="success")) == 9


async def test_how_many_sessions_an_account_may_have_is_a_setting(world_with: WorldWith) -> None:
    world = await world_with({"session.max_per_account": 1})
    first, second = await world.signed_in(), await world.signed_in()
    assert [await world.is_live(first), await world.is_live(second)] == [False, True]


async def test_V7_2_4_signing_in_again_in_the_same_browser_ends_its_older_session(world: World) -> None:
    older, elsewhere = await world.signed_in(), await world.signed_in(origin=ELSEWHERE)
    newer = await world.signed_in(replaces=older.session.id)
    assert newer.session.id != older.session.id
    assert (await world.session(older)).end_reason == EndReason.SIGNED_IN_AGAIN
    assert await world.is_live(elsewhere)


async def test_a_failed_login_ends_nothing_in_the_browser(world: World) -> None:
    older = await world.signed_in()
    with pytest.raises(InvalidCredentials):
        await world.login(password=WRONG, replaces=older.session.id)
    assert await world.is_live(older)


async def test_V11_4_2_a_hash_with_other_parameters_is_renewed_by_the_login_that_proves_it(world: World) -> None:
    old_hash = hash_of(PASSWORD, "standard")
    account = await world.account(password_hash=old_hash)
    await world.login()
    after = await world.store.find_account(account.id)
    assert after is not None
    assert after.password_hash not in (None, old_hash)
    assert after.security_version == account.security_version
    assert isinstance(await world.login(), TokenPair)


async def test_a_failed_login_renews_no_hash(world: World) -> None:
    account = await world.account(password_hash=hash_of(PASSWORD, "standard"))
    await failed(world, 1)
    assert await world.store.find_account(account.id) == account


async def test_a_hash_of_another_system_lets_its_owner_in_once_and_is_replaced(world: World) -> None:
    digest = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"salt", 1000)
    foreign = f"pbkdf2_sha256$1000$salt${b64encode(digest).decode()}"
    account = await world.account(password_hash=foreign)
    with pytest.raises(InvalidCredentials):
        await world.login(password="not this one")
    assert (await world.store.find_account(account.id)) == account
    await world.login()
    after = await world.store.find_account(account.id)
    assert after is not None
    assert (after.password_hash or "").startswith("$argon2id$")
    assert after.security_version == account.security_version
    await world.login()
