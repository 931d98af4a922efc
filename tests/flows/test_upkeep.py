"""Upkeep: what must happen by itself happens once, and logs nobody out."""

from __future__ import annotations

from asyncio import gather, sleep, timeout

import pytest
from msgspec import json
from msgspec.structs import replace

from sekisho.errors import AccessTokenExpired, SessionRevoked
from sekisho.flows.authenticate import authenticate_bearer
from sekisho.flows.logout import logout_token
from sekisho.model import KeyState
from sekisho.ports.changes import StartSession
from sekisho.revocations import JOURNAL_MS
from sekisho.rfc import base64url
from sekisho.sessions import TokenPair
from sekisho.settings import SettingsError
from sekisho.tokens.session_values import new_session_id
from sekisho.upkeep import BATCH, DAY_MS, UpkeepPlan, rotate_if_due, sweep
from world import HOME, World, WorldWith

pytestmark = pytest.mark.anyio

PLAN = UpkeepPlan(rotate_after_ms=90 * DAY_MS, verify_for_ms=JOURNAL_MS)


async def rotated(world: World) -> bool:
    """Rotate the keys if that is due, and wait until the running server has noticed."""
    before = world.edge.jwks()
    if not await rotate_if_due(world.store, world.master, world.now, PLAN):
        return False
    async with timeout(30):
        while world.edge.jwks() == before:  # noqa: ASYNC110 - the server's own task changes it, and tells nobody
            await sleep(0.01)
    return True


def key_of(pair: TokenPair) -> str:
    header = (pair.access_token or "").partition(".")[0]
    kid: str = json.decode(base64url.decode(header, 1024))["kid"]
    return kid


async def test_V7_3_1_expired_sessions_end_with_one_audit_record_each(world: World) -> None:
    idle = await world.signed_in()
    used = await world.signed_in()
    world.clock.advance(days=20)
    used = await world.refresh(used.credential)
    world.clock.advance(days=10)
    await gather(*(sweep(world.store, world.now, PLAN) for _ in range(3)))
    [line] = await world.audit("session_ended")
    assert (line.session_id, line.reason, line.actor) == (idle.session.id, "expired", "system")
    assert [await world.is_live(idle), await world.is_live(used)] == [False, True]


async def test_more_sessions_than_one_batch_takes_are_all_ended(world: World) -> None:
    pair = await world.signed_in()
    await world.store.apply(
        *(
            StartSession(
                session=replace(pair.session, id=new_session_id()),
                security_version=pair.account.security_version,
                max_sessions=2 * BATCH,
                journal_until_at=world.now,
                origin=HOME,
                now=world.now,
            )
            for _ in range(BATCH)
        )
    )
    world.clock.advance(days=31)
    await sweep(world.store, world.now, PLAN)
    assert (await world.store.counts())["live_sessions"] == 0
    assert len(await world.audit("session_ended")) == BATCH + 1


async def test_ended_sessions_stay_readable_for_thirty_days(world: World) -> None:
    pair = await world.signed_in()
    await logout_token(pair.credential, HOME, world.edge.logout)
    world.clock.advance(days=30)
    await sweep(world.store, world.now, PLAN)
    assert await world.store.find_session(pair.session.id) is not None
    world.clock.advance(seconds=1)
    await sweep(world.store, world.now, PLAN)
    assert await world.store.find_session(pair.session.id) is None
    assert len(await world.audit("session_ended")) == 1


async def test_sign_ups_and_journal_entries_go_when_their_time_is_over(world: World) -> None:
    sent, pair = await world.send_code(), await world.signed_in("jiro@mail.test")
    await logout_token(pair.credential, HOME, world.edge.logout)
    world.clock.advance(minutes=14)
    await sweep(world.store, world.now, PLAN)
    assert await world.store.find_pending_sign_up(sent.pending) is not None
    world.clock.advance(minutes=2)
    await sweep(world.store, world.now, PLAN)
    assert await world.store.find_pending_sign_up(sent.pending) is None
    assert (await world.store.counts())["journal"] == 1
    world.clock.advance(days=1, minutes=61 - 16)
    await sweep(world.store, world.now, PLAN)
    assert (await world.store.counts())["journal"] == 0


@pytest.mark.parametrize("ended_by", ["logout", "expired"])
async def test_I3_a_clock_that_was_ahead_for_a_day_revives_no_access_token(world: World, ended_by: str) -> None:
    pair = await world.signed_in()
    if ended_by == "logout":
        await logout_token(pair.credential, HOME, world.edge.logout)
    ahead_days = 1 if ended_by == "logout" else 31
    world.clock.advance(days=ahead_days)
    await sweep(world.store, world.now, PLAN)
    await world.restart()
    world.clock.advance(days=-ahead_days)
    with pytest.raises(SessionRevoked):
        authenticate_bearer(pair.access_token or "", world.edge.authenticate)


async def test_an_end_is_journaled_for_the_longest_life_that_a_setting_allows(
    world: World, world_with: WorldWith
) -> None:
    pair = await world.signed_in()
    await logout_token(pair.credential, HOME, world.edge.logout)
    [entry] = (await world.store.read_journal(0)).entries
    assert entry.expires_at == world.now + 61 * 60_000
    with pytest.raises(SettingsError, match="access_minutes: must be at most 60"):
        await world_with({"jwt.access_minutes": 61})


async def test_FS_13_a_scheduled_rotation_logs_nobody_out(world: World) -> None:
    world.clock.advance(days=90)
    before = await world.signed_in()
    assert await rotated(world)
    authenticate_bearer(before.access_token or "", world.edge.authenticate)
    after = await world.refresh(before.credential)
    assert key_of(after) != key_of(before)
    assert authenticate_bearer(after.access_token or "", world.edge.authenticate).session_id == before.session.id


async def test_FS_13_the_new_key_was_published_before_it_signed(world: World) -> None:
    shown_before = world.edge.jwks()
    world.clock.advance(days=90)
    await rotated(world)
    assert key_of(await world.signed_in()) in shown_before.decode()


async def test_FS_13_the_last_token_of_the_old_key_lives_as_long_as_it_says(world: World) -> None:
    world.clock.advance(days=90)
    before = await world.signed_in()
    await rotated(world)
    world.clock.advance(seconds=before.expires_in - 1)
    authenticate_bearer(before.access_token or "", world.edge.authenticate)
    world.clock.advance(seconds=1)
    with pytest.raises(AccessTokenExpired):
        authenticate_bearer(before.access_token or "", world.edge.authenticate)


async def test_FS_13_a_rotation_survives_a_restart(world: World) -> None:
    world.clock.advance(days=90)
    before = await world.signed_in()
    await rotated(world)
    await world.restart()
    authenticate_bearer(before.access_token or "", world.edge.authenticate)
    assert key_of(await world.refresh(before.credential)) != key_of(before)


async def test_a_young_key_stays(world: World) -> None:
    world.clock.advance(days=90, seconds=-1)
    assert not await rotated(world)
    assert await world.audit("signing_keys_rotated") == []


async def test_nodes_that_find_the_rotation_due_at_once_rotate_once_and_say_so_once(world: World) -> None:
    world.clock.advance(days=90)
    await gather(*(rotate_if_due(world.store, world.master, world.now, PLAN) for _ in range(3)))
    keys = await world.store.list_signing_keys()
    assert sorted(key.state for key in keys) == [KeyState.ACTIVE, KeyState.NEXT, KeyState.RETIRED]
    retired = [key.kid for key in keys if key.state is KeyState.RETIRED]
    assert [line.subject for line in await world.audit("signing_keys_rotated")] == retired
