"""Revocations: every kind, any order, from own commits and from the journal, over restores and outages."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from sekisho.ports.storage import Store
from sekisho.revocations import FOLLOW_INTERVAL_S, Revocations, follow
from tokens.given import NOW, Journal, revoked

pytestmark = pytest.mark.anyio

DAY = 86_400_000


def is_revoked(known: Revocations, **but: str) -> bool:
    asked = {"session_id": "s", "jti": "j", "client_id": "web:1", "kid": "k"} | but
    return known.is_revoked(**asked)


@pytest.mark.parametrize(
    ("kind", "value"), [("sid", "s"), ("jti", "j"), ("client", "web:1"), ("client", "web"), ("key", "k")]
)
def test_each_kind_revokes_what_it_names_and_nothing_else(kind: str, value: str) -> None:
    known = Revocations()
    assert not is_revoked(known)
    known.add([revoked(kind, value)])
    assert is_revoked(known)
    assert not is_revoked(known, session_id="x", jti="x", client_id="app:1", kid="x")
    assert known.is_key_revoked("k") == (kind == "key")


def test_a_client_of_another_device_is_not_revoked() -> None:
    known = Revocations()
    known.add([revoked("client", "web:1")])
    assert not is_revoked(known, client_id="web:2")
    assert not is_revoked(known, client_id="web")


def test_adding_twice_changes_nothing_and_the_later_expiry_counts() -> None:
    known = Revocations()
    known.add([revoked("sid", "s", expires_at=NOW + 9), revoked("sid", "s", expires_at=NOW + 5)])
    known.add([revoked("sid", "s", expires_at=NOW + 5), revoked("future-kind", "s")])
    assert len(known) == 1
    known.forget(NOW + DAY + 8)
    assert is_revoked(known)
    known.forget(NOW + DAY + 9)
    assert len(known) == 0


def test_a_clock_that_was_ahead_for_a_day_has_forgotten_nothing() -> None:
    known = Revocations()
    known.add([revoked("sid", "s", expires_at=NOW + 60_000)])
    known.forget(NOW + DAY)
    assert is_revoked(known)


async def test_loading_reads_every_page() -> None:
    journal, known = Journal(*(revoked("sid", f"s{seq}", seq=seq) for seq in range(1, 2502))), Revocations()
    await known.load(cast(Store, journal))
    assert len(known) == 2501
    assert journal.asked_after == [0, 1000, 2000]


async def test_catching_up_reads_on_from_where_it_stood() -> None:
    journal, known = Journal(revoked("sid", "a", seq=1)), Revocations()
    await known.load(cast(Store, journal))
    journal.entries.append(revoked("sid", "s", seq=2))
    await known.catch_up(cast(Store, journal))
    assert is_revoked(known)
    assert journal.asked_after == [0, 1]


async def test_an_entry_of_our_own_does_not_hide_a_lower_one_of_another_process() -> None:
    journal, known = Journal(), Revocations()
    await known.load(cast(Store, journal))
    journal.entries += [revoked("sid", "s", seq=1), revoked("sid", "own", seq=2)]
    known.add([revoked("sid", "own", seq=2)])
    await known.catch_up(cast(Store, journal))
    assert is_revoked(known)


async def test_after_a_restore_the_journal_is_read_from_the_beginning_and_nothing_is_forgotten() -> None:
    journal, known = Journal(revoked("sid", "before", seq=50)), Revocations()
    await known.load(cast(Store, journal))
    journal.entries, journal.generation = [revoked("sid", "s", seq=3)], "g2"
    await known.catch_up(cast(Store, journal))
    assert is_revoked(known)
    assert is_revoked(known, session_id="before")
    journal.entries.append(revoked("sid", "later", seq=4))
    await known.catch_up(cast(Store, journal))
    assert is_revoked(known, session_id="later")


async def test_following_notices_what_others_commit_and_survives_outages() -> None:
    journal, known = Journal(), Revocations()
    failures: list[Exception] = []
    changed = asyncio.Event()

    async def on_change() -> None:
        changed.set()

    await known.load(cast(Store, journal))
    following = asyncio.create_task(
        follow(cast(Store, journal), known, on_change, report=failures.append, interval_s=0.01)
    )
    try:
        journal.is_down = True
        journal.entries.append(revoked("sid", "s", seq=1))
        async with asyncio.timeout(30):
            while not failures:  # noqa: ASYNC110 - what reports tells nobody
                await asyncio.sleep(0.01)
        # Some rounds more, which fail as well and are not told.
        await asyncio.sleep(0.05)
        assert not is_revoked(known)
        assert [str(failure) for failure in failures] == ["down"]

        journal.is_down = False
        await asyncio.wait_for(changed.wait(), 30)
        assert is_revoked(known)
    finally:
        following.cancel()


def test_the_usual_interval_leaves_half_of_the_promised_100_ms() -> None:
    assert FOLLOW_INTERVAL_S <= 0.05


async def test_following_tries_again_when_reloading_fails() -> None:
    journal, known = Journal(revoked("sid", "s")), Revocations()
    failures: list[Exception] = []
    rounds: list[int] = []
    done = asyncio.Event()

    async def on_change() -> None:
        rounds.append(1)
        if len(rounds) < 3:
            raise RuntimeError("the keys cannot be read")
        done.set()

    following = asyncio.create_task(
        follow(cast(Store, journal), known, on_change, report=failures.append, interval_s=0.01)
    )
    try:
        await asyncio.wait_for(done.wait(), 30)
        await asyncio.sleep(0.05)
        assert len(rounds) == 3
        assert len(failures) == 1
    finally:
        following.cancel()
