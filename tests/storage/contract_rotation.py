"""Promises about rotation: the table of DESIGN section 4, row by row."""

from __future__ import annotations

from asyncio import gather
from typing import Any

import pytest

from sekisho.model import Session, SessionId, Transport
from sekisho.ports.changes import RotateSession, SetAccountStatus
from sekisho.ports.storage import AuditFilter, Ended, Repeated, Replayed, Rotated, Rotation, Store, WrongClient
from storage.build import DAY, MINUTE, NOW, done, end, rotate, signed_in


async def verdict(store: Store, change: RotateSession) -> Rotation:
    (result,) = await done(store, change)
    assert isinstance(result, Rotation)
    return result


async def row(store: Store, of: Session) -> Session:
    found = await store.find_session(of.id)
    assert found is not None
    return found


class RotationContract:
    async def test_the_live_token_rotates(self, store: Store) -> None:
        owner, first = await signed_in(store)
        rotated = await verdict(store, rotate(first, ip="198.51.100.4"))
        assert isinstance(rotated, Rotated)
        assert not rotated.was_behind
        assert rotated.account == owner
        assert rotated.session == await row(store, first)
        assert (rotated.seen_ip, rotated.seen_at) == (first.ip, first.last_seen_at)
        after = rotated.session
        assert (after.counter, after.rotated_at, after.last_seen_at) == (1, NOW + MINUTE, NOW + MINUTE)
        assert (after.ip, after.idle_expires_at) == ("198.51.100.4", NOW + MINUTE + 30 * DAY)

    async def test_rotation_never_slides_past_the_absolute_end(self, store: Store) -> None:
        _, first = await signed_in(store, idle_expires_at=NOW + DAY, expires_at=NOW + 2 * DAY)
        rotated = await verdict(store, rotate(first))
        assert isinstance(rotated, Rotated)
        assert rotated.session.idle_expires_at == NOW + 2 * DAY
        assert await row(store, first) == rotated.session

    @pytest.mark.parametrize(("acr", "days"), [("aal1", 30), ("aal2", 20)])
    async def test_how_far_the_idle_end_slides_goes_by_the_level_of_the_session(
        self, store: Store, acr: str, days: int
    ) -> None:
        _, first = await signed_in(store, acr=acr)
        (rotation,) = await done(store, rotate(first))
        assert isinstance(rotation, Rotated)
        assert rotation.session.idle_expires_at == NOW + MINUTE + days * DAY
        assert await store.find_session(first.id) == rotation.session

    async def test_the_predecessor_within_the_grace_window_is_repeated_and_changes_nothing(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await verdict(store, rotate(first))
        before = await row(store, first)
        last_moment = NOW + MINUTE + MINUTE
        assert await verdict(store, rotate(first, now=last_moment)) == Repeated(before, owner)
        assert await row(store, first) == before

    async def test_the_predecessor_after_the_window_is_replayed(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await verdict(store, rotate(first))
        before = await row(store, first)
        replayed = await verdict(store, rotate(first, now=NOW + MINUTE + MINUTE + 1))
        assert isinstance(replayed, Replayed)
        assert (replayed.session, replayed.account) == (before, owner)
        assert await row(store, first) == before

    async def test_a_clock_that_stepped_back_does_not_hold_the_grace_window_open(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await verdict(store, rotate(first))
        before = await row(store, first)
        assert await verdict(store, rotate(first, now=NOW + MINUTE - 5000)) == Repeated(before, owner)
        ended = await verdict(store, rotate(first, now=NOW + MINUTE - 5001))
        assert ended == Ended("rotated 5001 ms ahead of the clock")
        assert await row(store, first) == before

    async def test_without_a_grace_window_the_predecessor_is_replayed_at_once(self, store: Store) -> None:
        _, first = await signed_in(store)
        await verdict(store, rotate(first))
        assert isinstance(await verdict(store, rotate(first, grace_ms=0)), Replayed)

    async def test_an_older_token_is_replayed_also_within_the_window(self, store: Store) -> None:
        _, first = await signed_in(store)
        await verdict(store, rotate(first))
        await verdict(store, rotate(first, 1))
        assert isinstance(await verdict(store, rotate(first, 0)), Replayed)

    async def test_a_token_ahead_of_the_row_rolls_the_row_forward(self, store: Store) -> None:
        _, first = await signed_in(store)
        rotated = await verdict(store, rotate(first, 7))
        assert isinstance(rotated, Rotated)
        assert rotated.was_behind
        assert rotated.session.counter == 8
        assert await row(store, first) == rotated.session

    async def test_a_row_that_was_behind_has_its_audit_record_in_the_same_commit(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await verdict(store, rotate(first))
        assert await store.list_audit(AuditFilter(event="store_behind")) == []
        await verdict(store, rotate(first, 7, user_agent="Browser 1"))
        (line,) = await store.list_audit(AuditFilter(event="store_behind"))
        assert (line.outcome, line.at, line.actor) == ("success", NOW + MINUTE, "system")
        assert (line.account_id, line.session_id, line.client_id) == (owner.id, first.id, first.client_id)
        assert (line.ip, line.user_agent) == ("198.51.100.4", "Browser 1")

    async def test_an_unknown_session_is_ended(self, store: Store) -> None:
        _, first = await signed_in(store)
        ended = await verdict(store, rotate(first, session_id=SessionId("unknown")))
        assert ended == Ended("unknown session")

    @pytest.mark.parametrize(
        ("given", "now", "detail"),
        [
            ({"idle_expires_at": NOW + 5}, NOW + 5, "idle lifetime over"),
            ({"expires_at": NOW + 5}, NOW + 5, "absolute lifetime over"),
        ],
    )
    async def test_a_session_whose_time_is_over_is_ended(
        self, store: Store, given: dict[str, Any], now: int, detail: str
    ) -> None:
        _, first = await signed_in(store, **given)
        assert isinstance(await verdict(store, rotate(first, now=now - 1, idle_ms=1)), Rotated)
        assert await verdict(store, rotate(first, 1, now=now)) == Ended(detail)

    async def test_an_ended_session_is_ended_whatever_is_presented(self, store: Store) -> None:
        _, first = await signed_in(store)
        await done(store, end(first))
        for change in (
            rotate(first),
            rotate(first, secret_hash=bytes(32)),
            rotate(first, client_id="x"),
            rotate(first, 9),
        ):
            assert await verdict(store, change) == Ended("session ended: logout")

    async def test_a_session_of_a_disabled_account_is_ended(self, store: Store) -> None:
        owner, first = await signed_in(store)
        await done(store, SetAccountStatus(account_id=owner.id, expected="active", status="disabled"))
        assert await verdict(store, rotate(first)) == Ended("account disabled")

    async def test_another_secret_is_ended_before_client_and_counter_are_looked_at(self, store: Store) -> None:
        _, first = await signed_in(store)
        for change in (
            rotate(first, secret_hash=bytes(32)),
            rotate(first, secret_hash=bytes(32), client_id="other"),
            rotate(first, 5, secret_hash=bytes(32)),
        ):
            assert await verdict(store, change) == Ended("not this session's secret")
        assert await row(store, first) == first

    @pytest.mark.parametrize("counter", [0, 7])
    async def test_the_wrong_client_is_told_before_the_counter_is_looked_at(self, store: Store, counter: int) -> None:
        owner, first = await signed_in(store)
        await verdict(store, rotate(first))
        before = await row(store, first)
        wrong = await verdict(store, rotate(first, counter, client_id="ios:one"))
        assert wrong == WrongClient(before, owner, "another app")
        assert await row(store, first) == before

    @pytest.mark.parametrize(
        ("transport", "client_id", "expected"),
        [
            (Transport.BODY, "web:one", Rotated),
            (Transport.BODY, "web:two", WrongClient),
            (Transport.BODY, "web", WrongClient),
            (Transport.COOKIE, "web:two", Rotated),
            (Transport.COOKIE, "web", Rotated),
            (Transport.COOKIE, "webb:one", WrongClient),
            (Transport.COOKIE, "we", WrongClient),
            (Transport.SESSION, "web:two", Rotated),
            (Transport.SESSION, "w_b:one", WrongClient),
        ],
    )
    async def test_only_body_sessions_need_the_device_part(
        self, store: Store, transport: Transport, client_id: str, expected: type[Rotation]
    ) -> None:
        _, first = await signed_in(store, transport=transport)
        assert isinstance(await verdict(store, rotate(first, client_id=client_id)), expected)

    async def test_of_a_hundred_callers_with_one_token_one_rotates_and_the_others_repeat(self, store: Store) -> None:
        _, first = await signed_in(store)
        verdicts = await gather(*(verdict(store, rotate(first)) for _ in range(100)))
        assert sum(isinstance(one, Rotated) for one in verdicts) == 1
        assert sum(isinstance(one, Repeated) for one in verdicts) == 99
        assert {one.session.counter for one in verdicts if not isinstance(one, Ended)} == {1}
