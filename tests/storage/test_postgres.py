"""PostgreSQL keeps the contract, and what only an engine with many writers must keep."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from sekisho.ports.changes import AppendJournal, SetRoles
from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.changes.records import APPEND_JOURNAL
from sekisho.storage.errors import (
    DatabaseRefused,
    MissingRights,
    NoSuchDatabase,
    ReadOnlyDatabase,
    SchemaTooNew,
    SchemaTooOld,
    ServerNotThere,
    WrongCredentials,
)
from sekisho.storage.postgres import PostgresStore, calls
from sekisho.storage.postgres.calls import run_call
from sekisho.storage.postgres.connections import Target
from sekisho.storage.postgres.journal import PUBLISH
from sekisho.storage.postgres.migration import migrate
from sekisho.storage.postgres.rotation import ROTATE, RotationDisagrees, rotate_session
from sekisho.storage.postgres.texts import numbered, with_values
from sekisho.storage.revision import OLDEST_READER, SCHEMA_REVISION
from storage.build import done, end, rotate, signed_in
from storage.contract import StoreContract
from storage.contract_operations import revoke
from storage.fast_postgres import lent_store, new_database, server

pytestmark = pytest.mark.anyio

ENTRY = {"kind": "jti", "expires_at": 0, "reason": "r"}
SOMEBODY_WAITS = """
SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')
"""


def target_of(store: PostgresStore) -> Target:
    return store._ear._target


async def has_heard(store: PostgresStore, *, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not store.has_foreign_commits():  # noqa: ASYNC110 - asking is what is tested
            await asyncio.sleep(0.01)


async def append(connection: asyncpg.Connection, value: str) -> None:
    """What a revoking transaction writes."""
    text, values = with_values(APPEND_JOURNAL, {**ENTRY, "value": value})
    await connection.fetch(text, *values)


async def waits_or_is_done(task: asyncio.Task[Any], watcher: asyncpg.Connection) -> None:
    async with asyncio.timeout(30):
        while not task.done() and not await watcher.fetchval(SOMEBODY_WAITS):  # noqa: ASYNC110 - two are asked
            await asyncio.sleep(0.01)


def store_url(store: PostgresStore) -> str:
    return target_of(store).url


@pytest.fixture(scope="module", autouse=True)
def running_server() -> None:
    server()


@pytest.fixture
async def store() -> AsyncIterator[PostgresStore]:
    async with lent_store() as opened:
        yield opened


class TestPostgres(StoreContract):
    """Every test of the contract."""


async def test_numbers_that_are_committed_out_of_order_are_missed_by_no_reader(store: PostgresStore) -> None:
    early, late = await asyncpg.connect(store_url(store)), await asyncpg.connect(store_url(store))
    slow = early.transaction()
    await slow.start()
    await append(early, "first written, last committed")
    await append(late, "last written, first committed")
    before = await store.read_journal(0)
    assert [entry.value for entry in before.entries] == ["last written, first committed"]

    await slow.commit()
    after = await store.read_journal(before.last_seq)
    assert [entry.value for entry in after.entries] == ["first written, last committed"]
    await early.close()
    await late.close()


async def test_who_publishes_waits_for_who_is_publishing_so_that_numbers_become_visible_in_order(
    store: PostgresStore,
) -> None:
    publisher, watcher = await asyncpg.connect(store_url(store)), await asyncpg.connect(store_url(store))
    await append(watcher, "published first")
    publishing = publisher.transaction()
    await publishing.start()
    await publisher.execute(PUBLISH)
    await append(watcher, "published second")

    reading = asyncio.create_task(store.read_journal(0))
    await waits_or_is_done(reading, watcher)
    await publishing.commit()
    page = await reading
    assert [entry.value for entry in page.entries] == ["published first", "published second"]
    await publisher.close()
    await watcher.close()


async def test_a_revocation_on_one_node_is_news_on_the_other_at_once(store: PostgresStore) -> None:
    _, first = await signed_in(store)
    other = await PostgresStore.open(target_of(store), poll_s=3600)
    assert not other.has_foreign_commits()
    await done(store, end(first))
    await has_heard(other, within_s=30)
    assert [entry.value for entry in (await other.read_journal(0)).entries] == [first.id]
    await other.close()


async def test_without_notifications_the_clock_says_that_there_may_be_news(store: PostgresStore) -> None:
    other = await PostgresStore.open(target_of(store), poll_s=0.05)
    await other._ear.stop()
    await asyncio.sleep(0.06)
    assert other.has_foreign_commits()
    await other.close()


async def test_an_ear_whose_connection_was_cut_listens_again_and_looks_at_once(store: PostgresStore) -> None:
    connection = store._ear._connection
    assert connection is not None
    connection.terminate()
    await has_heard(store, within_s=30)
    assert store._ear._connection is not connection


async def test_rotation_is_one_statement_outside_any_transaction(store: PostgresStore) -> None:
    _, first = await signed_in(store)
    seen: list[str] = []
    async with store._pool.acquire() as connection:
        with connection.query_logger(lambda record: seen.append(record.query)):
            await run_call(connection, (rotate(first),), "node")
    assert seen == [numbered(ROTATE)[0]]


async def test_a_statement_and_a_table_that_disagree_are_an_error(store: PostgresStore) -> None:
    _, first = await signed_in(store)
    steps = rotate_session(rotate(first))
    step = next(steps)
    async with store._pool.acquire() as connection:
        text, values = with_values(step.sql, step.values)
        (row,) = await connection.fetch(text, *values)
    assert row[-1] is True
    with pytest.raises(RotationDisagrees, match="left a row"):
        steps.send([(*tuple(row)[:-1], False)])


async def test_a_declared_single_statement_that_is_not_one_is_refused(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "ONE_STATEMENT", frozenset({AppendJournal}))
    with pytest.raises(RuntimeError, match="needs a transaction"):
        await store.apply(revoke("x"))


async def test_a_call_that_lost_a_deadlock_is_run_again_as_a_whole(store: PostgresStore) -> None:
    (one, _), (two, _) = await signed_in(store), await signed_in(store)
    other, watcher = await asyncpg.connect(store_url(store)), await asyncpg.connect(store_url(store))
    # The other one is patient, so that the server breaks the knot at the store's end.
    await other.execute("SET deadlock_timeout = '60s'")
    holding = other.transaction()
    await holding.start()
    await other.execute("UPDATE accounts SET name = 'x' WHERE id = $1", two.id)
    call = asyncio.create_task(
        store.apply(SetRoles(account_id=one.id, roles=("a",)), SetRoles(account_id=two.id, roles=("b",)))
    )
    await waits_or_is_done(call, watcher)
    await other.execute("UPDATE accounts SET name = 'x' WHERE id = $1", one.id)
    await holding.commit()

    assert (await call).lost is None
    kept = [await store.find_account(each.id) for each in (one, two)]
    assert [account.roles for account in kept if account] == [("a",), ("b",)]
    await other.close()
    await watcher.close()


async def test_a_pool_that_stays_full_is_unavailable_and_no_hang(store: PostgresStore) -> None:
    store._wait_s = 0.2
    held = [await store._pool.acquire() for _ in range(target_of(store).pool_size)]
    with pytest.raises(StoreUnavailable):
        await store.find_meta("n")
    for connection in held:
        await store._pool.release(connection)
    assert await store.find_meta("n") is None


async def test_migrating_at_once_and_twice_changes_nothing_more() -> None:
    empty = new_database("template0")
    found = await asyncio.gather(migrate(empty), migrate(empty))
    assert sorted(found, key=str) == [SCHEMA_REVISION, None]
    assert await migrate(empty) == SCHEMA_REVISION


@pytest.mark.parametrize(
    ("change", "expected", "words"),
    [
        ({"port": 1}, ServerNotThere, "Check host and port"),
        ({"database": "missing"}, NoSuchDatabase, "createdb"),
        ({"user": "nobody"}, WrongCredentials, "user and password"),
    ],
)
async def test_what_keeps_a_store_from_opening_is_named(
    change: dict[str, Any], expected: type[DatabaseRefused], words: str
) -> None:
    parts = {"user": "sekisho", "port": server().port, "database": "migrated", **change}
    url = "postgresql://{user}@127.0.0.1:{port}/{database}".format(**parts)
    with pytest.raises(expected, match=words):
        await PostgresStore.open(Target(url=url))


async def test_an_empty_and_a_newer_database_are_refused() -> None:
    with pytest.raises(SchemaTooOld):
        await PostgresStore.open(new_database("template0"))
    newer = new_database()
    name = newer.url.rpartition("/")[2]
    server().sql("UPDATE alembic_version SET version_num = '9999'", name)
    server().sql(f"UPDATE meta SET value = '9999' WHERE name = '{OLDEST_READER}'", name)
    with pytest.raises(SchemaTooNew):
        await PostgresStore.open(newer)
    with pytest.raises(SchemaTooNew):
        await migrate(newer)


async def test_a_newer_database_that_serves_this_version_is_opened_and_left_as_it_is() -> None:
    newer = new_database()
    server().sql("UPDATE alembic_version SET version_num = '9999'", newer.url.rpartition("/")[2])
    await (await PostgresStore.open(newer)).close()
    assert await migrate(newer) == "9999"


async def test_a_user_without_rights_and_a_database_that_is_read_only_are_named() -> None:
    target = new_database()
    name = target.url.rpartition("/")[2]
    server().sql("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN; GRANT USAGE ON SCHEMA public TO guest;", name)
    server().sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", name)
    with pytest.raises(MissingRights):
        await PostgresStore.open(Target(url=target.url.replace("sekisho@", "guest@")))
    server().sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(ReadOnlyDatabase):
        await PostgresStore.open(target)


def test_opening_a_sqlite_store_imports_no_postgresql_driver() -> None:
    code = "import sys, sekisho.assemble; print([m for m in sys.modules if m.split('.')[0] == 'asyncpg'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
