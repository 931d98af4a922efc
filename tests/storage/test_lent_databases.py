"""Databases that tests share one after the other keep nothing of the last one."""

from __future__ import annotations

import asyncpg
import pytest

from sekisho.ports.changes import AppendJournal
from storage.build import done, end, signed_in
from storage.fast_postgres import lent_database, lent_store, server

pytestmark = pytest.mark.anyio


def dump(database: str) -> list[str]:
    """Return all data and the state of all numbers."""
    text = server().run("pg_dump", "--data-only", "--inserts", "--dbname", server().url(database))
    # Newer ones begin with a random word after a backslash.
    return [line for line in text.splitlines() if not line.startswith("\\")]


def name_of(url: str) -> str:
    return url.rpartition("/")[2]


async def test_what_a_test_has_left_is_gone_for_the_next_one() -> None:
    async with lent_database() as used:
        pass
    async with lent_store() as store:
        _, session = await signed_in(store)
        await done(store, end(session))
        await store.apply(AppendJournal(kind="jti", value="x", expires_at=0, reason="r"))
        assert dump(name_of(used.url)) != dump("migrated"), "it is the same database, with something in it"
    async with lent_database() as again:
        assert again.url == used.url
        assert dump(name_of(again.url)) == dump("migrated")


async def test_one_whose_shape_was_changed_is_not_lent_again() -> None:
    async with lent_database() as changed:
        server().sql("ALTER TABLE sessions ADD COLUMN of_tomorrow TEXT", name_of(changed.url))
    async with lent_database() as other:
        assert other.url != changed.url


async def test_one_that_somebody_still_holds_is_not_lent_again() -> None:
    async with lent_database() as held:
        holder = await asyncpg.connect(held.url)
        await holder.execute("BEGIN; LOCK TABLE accounts")
    async with lent_database() as other:
        assert other.url != held.url
    await holder.close()
