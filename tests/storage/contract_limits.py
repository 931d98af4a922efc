"""Promises about throttle buckets and known devices."""

from __future__ import annotations

from asyncio import gather
from typing import Any

from sekisho.ports.changes import CountTry, ForgetTries, GiveBackTry, RememberDevice
from sekisho.ports.storage import Lost, Store
from storage.build import DAY, NOW, done


def count(now: int = NOW, **given: Any) -> CountTry:
    return CountTry(**{"key": b"bucket", "limit": 3, "window_ms": 1000, "now": now, **given})


def slowed(now: int, **given: Any) -> CountTry:
    return count(now, window_ms=DAY, first_delay_ms=100, max_delay_ms=350, **given)


async def tried(store: Store, change: CountTry) -> int | None:
    """None if the try passes, else when the next may."""
    outcome = await store.apply(change)
    if outcome.lost is None:
        return None
    assert outcome.lost == Lost(change, "throttled", outcome.lost.retry_at)
    return outcome.lost.retry_at


class LimitContract:
    async def test_the_first_tries_of_a_window_pass_and_no_more(self, store: Store) -> None:
        assert [await tried(store, count(NOW + i)) for i in range(5)] == [None, None, None, NOW + 1000, NOW + 1000]

    async def test_a_new_window_starts_with_its_first_try(self, store: Store) -> None:
        for i in range(3):
            await tried(store, count(NOW + i))
        assert await tried(store, count(NOW + 999)) == NOW + 1000
        assert [await tried(store, count(NOW + 1500 + i)) for i in range(4)] == [None, None, None, NOW + 2500]

    async def test_a_bucket_that_is_forgotten_starts_over_and_no_other(self, store: Store) -> None:
        for i in range(3):
            await tried(store, count(NOW + i))
            await tried(store, count(NOW + i, key=b"other"))
        await done(store, ForgetTries(key=b"bucket"), ForgetTries(key=b"unknown"))
        assert await tried(store, count(NOW + 4)) is None
        assert await tried(store, count(NOW + 4, key=b"other")) == NOW + 1000

    async def test_buckets_do_not_share_tries(self, store: Store) -> None:
        for _ in range(3):
            await tried(store, count())
        assert await tried(store, count(key=b"other")) is None

    async def test_racing_tries_never_pass_the_limit(self, store: Store) -> None:
        passed = await gather(*(tried(store, count()) for _ in range(50)))
        assert passed.count(None) == 3

    async def test_a_try_that_is_given_back_can_be_made_again(self, store: Store) -> None:
        for _ in range(3):
            await tried(store, count())
        await done(store, GiveBackTry(key=b"bucket", now=NOW))
        assert [await tried(store, count()) for _ in range(2)] == [None, NOW + 1000]

    async def test_giving_back_does_not_reach_into_another_window_or_below_nothing(self, store: Store) -> None:
        await done(store, GiveBackTry(key=b"bucket", now=NOW))
        await tried(store, count())
        await done(store, *(GiveBackTry(key=b"bucket", now=NOW) for _ in range(5)))
        assert [await tried(store, count()) for _ in range(4)] == [None, None, None, NOW + 1000]
        await done(store, GiveBackTry(key=b"bucket", now=NOW + 1000))
        assert await tried(store, count(NOW + 999)) == NOW + 1000

    async def test_beyond_the_limit_the_wait_doubles_up_to_its_longest(self, store: Store) -> None:
        now, waits = NOW, []
        for _ in range(3):
            assert await tried(store, slowed(now)) is None
        for _ in range(5):
            retry_at = await tried(store, slowed(now))
            assert retry_at is not None
            waits.append(retry_at - now)
            assert await tried(store, slowed(retry_at - 1)) == retry_at
            now = retry_at
            assert await tried(store, slowed(now)) is None
        assert waits == [100, 200, 350, 350, 350]

    async def test_a_try_that_did_not_pass_is_not_counted(self, store: Store) -> None:
        for _ in range(3):
            await tried(store, slowed(NOW))
        for _ in range(9):
            assert await tried(store, slowed(NOW + 50)) == NOW + 100
        assert await tried(store, slowed(NOW + 100)) is None

    async def test_of_racing_tries_after_a_wait_one_passes(self, store: Store) -> None:
        for _ in range(3):
            await tried(store, slowed(NOW))
        passed = await gather(*(tried(store, slowed(NOW + 100)) for _ in range(20)))
        assert passed.count(None) == 1
        assert set(passed) == {None, NOW + 300}

    async def test_giving_back_also_gives_back_the_wait(self, store: Store) -> None:
        for _ in range(3):
            await tried(store, slowed(NOW))
        assert await tried(store, slowed(NOW + 100)) is None
        await done(store, GiveBackTry(key=b"bucket", now=NOW + 100))
        assert await tried(store, slowed(NOW + 99)) == NOW + 100
        assert await tried(store, slowed(NOW + 101)) is None

    async def test_a_wait_is_never_longer_than_the_window(self, store: Store) -> None:
        long = {"first_delay_ms": DAY, "max_delay_ms": DAY}
        for _ in range(3):
            await tried(store, count(**long))
        assert await tried(store, count(**long)) == NOW + 1000
        assert await tried(store, count(NOW + 1000, **long)) is None

    async def test_a_clock_that_was_ahead_locks_nobody_out(self, store: Store) -> None:
        ahead = NOW + 365 * DAY
        for i in range(3):
            await tried(store, count(ahead + i))
        assert [await tried(store, count(NOW + i)) for i in range(4)] == [None, None, None, NOW + 1000]

    async def test_a_clock_that_was_ahead_costs_no_wait_beyond_the_longest(self, store: Store) -> None:
        await tried(store, slowed(NOW))
        for _ in range(2):
            await tried(store, slowed(NOW + DAY // 2))
        assert await tried(store, slowed(NOW + 1)) is None
        assert await tried(store, slowed(NOW + 2)) == NOW + 201

    async def test_nodes_whose_clocks_differ_a_little_count_in_one_window(self, store: Store) -> None:
        passed = [await tried(store, count(NOW + (1000 if i % 2 == 0 else 0))) for i in range(6)]
        assert passed[:3] == [None] * 3
        assert None not in passed[3:]

    async def test_a_remembered_device_is_known_with_its_identifier_only(self, store: Store) -> None:
        await done(store, RememberDevice(identifier_tag="i", device_tag="d", now=NOW))
        await done(store, RememberDevice(identifier_tag="i", device_tag="d", now=NOW + 1))
        assert await store.is_known_device("i", "d")
        assert not await store.is_known_device("i", "e")
        assert not await store.is_known_device("j", "d")
