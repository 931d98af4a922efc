"""Refresh: the whole table of outcomes, one row after the other, and what a race does to each."""

from __future__ import annotations

from asyncio import gather

import pytest

from sekisho.errors import ClientIdMismatch, RefreshTokenInvalid, SessionChanged
from sekisho.model import EndReason, Transport
from sekisho.tokens.session_values import new_session_id, new_session_secret
from world import ELSEWHERE, HANAKO, START_AT, World, WorldWith

pytestmark = pytest.mark.anyio

ENDED_LETTER = "We ended one of your sessions at Sekisho"


async def ended_because(world: World, reason: EndReason) -> int:
    """Count the audit records of ends for this reason."""
    return sum(line.reason == reason for line in await world.audit("session_ended"))


async def test_a_live_token_is_traded_for_its_successor(world: World) -> None:
    first = await world.signed_in()
    second = await world.refresh(first.credential)
    assert second.credential != first.credential
    assert second.session.id == first.session.id
    assert await world.live_refresh_tokens(first, second) == 1


async def test_a_refresh_moves_the_idle_end_and_notes_where_the_session_was_last_seen(world: World) -> None:
    first = await world.signed_in()
    world.clock.advance(days=2)
    await world.refresh(first.credential, origin=ELSEWHERE)
    row = await world.session(first)
    assert row.idle_expires_at - first.session.idle_expires_at == 2 * 86_400_000
    assert (row.last_seen_at, row.ip) == (world.now, ELSEWHERE.ip)


async def test_successful_refreshes_are_counted_on_the_session_and_not_audited(world: World) -> None:
    pair = await world.signed_in()
    lines = len(await world.audit())
    for _ in range(3):
        pair = await world.refresh(pair.credential)
    assert (await world.session(pair)).counter == 3
    assert len(await world.audit()) == lines


async def test_KA_020_FS_04_a_hundred_parallel_refreshes_share_one_successor(world: World) -> None:
    first = await world.signed_in()
    pairs = await gather(*(world.refresh(first.credential) for _ in range(100)))
    assert len({pair.credential for pair in pairs}) == 1
    assert (await world.session(first)).counter == 1
    assert await world.live_refresh_tokens(first, *pairs) == 1


async def test_FS_02_a_client_whose_answer_was_lost_gets_the_same_successor_within_the_grace_window(
    world: World,
) -> None:
    first = await world.signed_in()
    lost = await world.refresh(first.credential)
    world.clock.advance(seconds=60)
    again = await world.refresh(first.credential)
    assert again.credential == lost.credential
    assert again.access_token != lost.access_token
    assert (await world.refresh(again.credential)).session.id == first.session.id


async def test_KA_036_after_the_grace_window_the_predecessor_is_a_replay(world: World) -> None:
    first = await world.signed_in()
    await world.refresh(first.credential)
    world.clock.advance(seconds=60.001)
    with pytest.raises(RefreshTokenInvalid, match="counter 0, live 1"):
        await world.refresh(first.credential)
    assert not await world.is_live(first)


async def test_KA_036_repeating_does_not_open_the_window_anew(world: World) -> None:
    first = await world.signed_in()
    await world.refresh(first.credential)
    world.clock.advance(seconds=50)
    await world.refresh(first.credential)
    world.clock.advance(seconds=11)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(first.credential)


async def test_KA_036_the_window_is_for_the_direct_predecessor_only(world: World) -> None:
    first = await world.signed_in()
    second = await world.refresh(first.credential)
    await world.refresh(second.credential)
    with pytest.raises(RefreshTokenInvalid, match="counter 0, live 2"):
        await world.refresh(first.credential)
    assert not await world.is_live(first)


async def test_without_a_grace_window_any_second_use_is_a_replay(world_with: WorldWith) -> None:
    world = await world_with({"session.grace_seconds": 0})
    first = await world.signed_in()
    await world.refresh(first.credential)
    with pytest.raises(RefreshTokenInvalid, match="counter 0, live 1"):
        await world.refresh(first.credential)


async def test_FS_03_a_replay_ends_the_session_for_both_who_hold_it(world: World) -> None:
    stolen = await world.signed_in()
    victim = await world.refresh((await world.refresh(stolen.credential)).credential)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(stolen.credential, origin=ELSEWHERE)
    with pytest.raises(RefreshTokenInvalid, match="session ended: refresh_token_replayed"):
        await world.refresh(victim.credential)
    assert await world.live_refresh_tokens(stolen, victim) == 0


async def test_FS_03_racing_replays_leave_one_audit_record_and_one_letter(world: World) -> None:
    stolen = await world.signed_in()
    await world.refresh((await world.refresh(stolen.credential)).credential)
    replays = [world.refresh(stolen.credential, origin=ELSEWHERE) for _ in range(8)]
    refused = await gather(*replays, return_exceptions=True)
    assert all(isinstance(refusal, RefreshTokenInvalid) for refusal in refused)
    assert await ended_because(world, EndReason.REPLAY) == 1
    assert [letter.subject for letter in await world.mail(HANAKO)] == [ENDED_LETTER]


async def test_a_replay_ends_no_other_session_of_the_account(world: World) -> None:
    stolen, other = await world.signed_in(), await world.signed_in()
    await world.refresh((await world.refresh(stolen.credential)).credential)
    with pytest.raises(RefreshTokenInvalid):
        await world.refresh(stolen.credential)
    assert await world.is_live(other)


async def test_KA_021_a_restart_forgets_nothing_about_used_tokens(world: World) -> None:
    first = await world.signed_in()
    second = await world.refresh((await world.refresh(first.credential)).credential)
    await world.restart()
    with pytest.raises(RefreshTokenInvalid, match="counter 0, live 2"):
        await world.refresh(first.credential)
    assert await world.live_refresh_tokens(second) == 0


@pytest.mark.parametrize("transport", [Transport.BODY, Transport.COOKIE])
async def test_KA_023_another_app_ends_the_session(world: World, transport: Transport) -> None:
    pair = await world.signed_in(client_id="web:one-device-000000", transport=transport)
    with pytest.raises(ClientIdMismatch, match="another app"):
        await world.refresh(pair.credential, client_id="phone:one-device-000000", origin=ELSEWHERE)
    assert (await world.session(pair)).end_reason == EndReason.CLIENT_ID_MISMATCH
    assert await ended_because(world, EndReason.CLIENT_ID_MISMATCH) == 1
    assert [letter.subject for letter in await world.mail(HANAKO)] == [ENDED_LETTER]


async def test_KA_023_another_device_part_ends_a_body_session(world: World) -> None:
    pair = await world.signed_in(client_id="phone:one-device-000000")
    with pytest.raises(ClientIdMismatch, match="another device"):
        await world.refresh(pair.credential, client_id="phone:two-device-000000")
    assert not await world.is_live(pair)


async def test_a_cookie_session_outlives_the_loss_of_its_device_part(world: World) -> None:
    pair = await world.signed_in(client_id="web:one-device-000000", transport=Transport.COOKIE)
    pair = await world.refresh(pair.credential, client_id="web:two-device-000000")
    pair = await world.refresh(pair.credential, client_id="web")
    assert pair.session.client_id == "web:one-device-000000"


async def test_racing_wrong_clients_leave_one_audit_record_and_one_letter(world: World) -> None:
    pair = await world.signed_in()
    wrong = [world.refresh(pair.credential, client_id="phone") for _ in range(5)]
    refused = await gather(*wrong, return_exceptions=True)
    assert {type(refusal) for refusal in refused} <= {ClientIdMismatch, RefreshTokenInvalid}
    assert await ended_because(world, EndReason.CLIENT_ID_MISMATCH) == 1
    assert len(await world.mail(HANAKO)) == 1


async def test_the_end_is_judged_before_the_client(world: World) -> None:
    pair = await world.signed_in()
    world.clock.advance(days=31)
    with pytest.raises(RefreshTokenInvalid, match="idle"):
        await world.refresh(pair.credential, client_id="phone")


async def test_a_token_ahead_of_a_store_that_forgot_rolls_forward_and_is_audited(world: World) -> None:
    tokens = world.edge.refresh.refresh_tokens
    first = await world.signed_in()
    presented = tokens.open(first.credential)
    ahead = tokens.mint(presented.session_id, presented.secret, presented.counter + 3)
    after = await world.refresh(ahead)
    assert tokens.open(after.credential).counter == 4
    assert [line.session_id for line in await world.audit("store_behind")] == [first.session.id]
    assert await world.live_refresh_tokens(first, after) == 1


async def test_a_forged_token_is_refused_and_ends_nothing(world: World) -> None:
    pair = await world.signed_in()
    forged = pair.credential[:-1] + ("A" if pair.credential[-1] != "A" else "B")
    with pytest.raises(RefreshTokenInvalid, match=r"MAC|base64url"):
        await world.refresh(forged)
    assert await world.is_live(pair)


async def test_a_token_of_an_unknown_session_is_refused(world: World) -> None:
    unknown = world.edge.refresh.refresh_tokens.mint(new_session_id(), new_session_secret(), 0)
    with pytest.raises(RefreshTokenInvalid, match="unknown session"):
        await world.refresh(unknown)


async def test_another_secret_is_refused_and_ends_nothing(world: World) -> None:
    pair = await world.signed_in()
    other = world.edge.refresh.refresh_tokens.mint(pair.session.id, new_session_secret(), 0)
    with pytest.raises(RefreshTokenInvalid, match="secret"):
        await world.refresh(other, client_id="phone")
    assert await world.is_live(pair)


async def test_V7_3_1_an_idle_session_ends_at_thirty_days(world: World) -> None:
    pair = await world.signed_in()
    world.clock.advance(days=30, seconds=-0.001)
    pair = await world.refresh(pair.credential)
    world.clock.advance(days=30)
    with pytest.raises(RefreshTokenInvalid, match="idle lifetime over"):
        await world.refresh(pair.credential)


async def test_V7_3_2_KA_037_the_absolute_end_never_slides(world: World) -> None:
    first = pair = await world.signed_in()
    for _ in range(4):
        world.clock.advance(days=22)
        pair = await world.refresh(pair.credential)
    assert (await world.session(pair)).expires_at == first.session.expires_at == START_AT + 90 * 86_400_000
    assert (await world.session(pair)).idle_expires_at == first.session.expires_at
    world.clock.advance(days=2)
    with pytest.raises(RefreshTokenInvalid, match="absolute lifetime over"):
        await world.refresh(pair.credential)


async def test_V7_3_2_no_access_token_outlives_the_absolute_end(world: World) -> None:
    pair = await world.signed_in()
    for _ in range(3):
        world.clock.advance(days=29)
        pair = await world.refresh(pair.credential)
    world.clock.advance(days=2, minutes=23 * 60 + 58)
    assert (await world.refresh(pair.credential)).expires_in == 120


async def test_KA_027_a_disabled_account_refreshes_nothing(world: World) -> None:
    pair = await world.signed_in()
    await world.disable(pair.account.id)
    with pytest.raises(RefreshTokenInvalid, match="account disabled"):
        await world.refresh(pair.credential)


async def test_two_people_in_one_browser_are_told_and_nothing_ends(world: World) -> None:
    mine, others = await world.signed_in(), await world.signed_in("jiro@mail.test")
    with pytest.raises(SessionChanged):
        await world.refresh(others.credential, believed=mine.session.id)
    assert await world.live_refresh_tokens(mine, others) == 2


async def test_the_right_belief_refreshes(world: World) -> None:
    pair = await world.signed_in()
    assert (await world.refresh(pair.credential, believed=pair.session.id)).session.id == pair.session.id
