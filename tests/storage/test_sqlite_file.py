"""The file: who may read it, what is refused at open, what a second process sees, what a crash leaves."""

# ruff: noqa: ASYNC240 - files are looked at between the steps of a test, nobody waits meanwhile

from __future__ import annotations

import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from sekisho.ports.changes import SetMeta
from sekisho.ports.storage import Committed, StoreUnavailable
from sekisho.storage.errors import (
    CannotWrite,
    DamagedDatabase,
    NotADatabase,
    SchemaTooNew,
    SchemaTooOld,
    StoreCannotOpen,
)
from sekisho.storage.revision import OLDEST_READER, OLDEST_READER_REVISION, SCHEMA_REVISION
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.connections import open_to_others, was_cut_off
from sekisho.storage.sqlite.migration import migrate
from storage.build import done, end, signed_in
from storage.fast import new_store, template

pytestmark = pytest.mark.anyio

WRITE_UNTIL_KILLED = """
import asyncio, sys
from sekisho.ports.changes import SetMeta
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.sqlite import SqliteStore

async def write(store, name):
    await store.apply(SetMeta(name=name, value="acknowledged"))
    print(name, flush=True)

async def main():
    store = await SqliteStore.open(sys.argv[1])
    for i in range(1_000_000):
        await asyncio.gather(*(write(store, f"{i}-{j}") for j in range(4)))

asyncio.run(main())
"""


async def test_the_file_and_its_companions_are_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    migrate(path)
    store = await SqliteStore.open(path)
    await done(store, SetMeta(name="n", value="v"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"sekisho.db": 0o600, "sekisho.db-wal": 0o600, "sekisho.db-shm": 0o600}
    assert open_to_others(path) == []
    path.chmod(0o640)
    assert open_to_others(path) == [path]
    await store.close()


async def test_migrating_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    assert migrate(path) is None
    assert migrate(path) == SCHEMA_REVISION
    await (await SqliteStore.open(path)).close()


async def test_the_generation_of_the_journal_is_made_once_for_each_database(tmp_path: Path) -> None:
    first = await new_store(tmp_path, "a.db")
    generation = (await first.read_journal(0)).generation
    await first.close()
    again = await SqliteStore.open(tmp_path / "a.db")
    other = await new_store(tmp_path, "b.db")
    assert (await again.read_journal(0)).generation == generation
    assert (await other.read_journal(0)).generation != generation
    await again.close()
    await other.close()


async def test_a_missing_or_empty_file_asks_for_a_migration_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(SchemaTooOld, match="sekisho migrate"):
        await SqliteStore.open(tmp_path / "missing.db")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(SchemaTooOld) as refused:
        await SqliteStore.open(tmp_path / "empty.db")
    assert (refused.value.found, refused.value.wanted) == (None, SCHEMA_REVISION)


def of_revision(tmp_path: Path, revision: str, oldest_reader: str | None) -> Path:
    """Return a file as another version's migration leaves it behind."""
    path = tmp_path / "sekisho.db"
    shutil.copy(template(), path)
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.execute("DELETE FROM meta WHERE name = ?", (OLDEST_READER,))
    if oldest_reader is not None:
        connection.execute("INSERT INTO meta VALUES (?, ?)", (OLDEST_READER, oldest_reader))
    connection.close()
    return path


@pytest.mark.parametrize(
    ("revision", "oldest_reader", "expected"),
    [("0000", "0000", SchemaTooOld), ("9999", "9999", SchemaTooNew), ("9999", None, SchemaTooNew)],
)
async def test_another_version_s_schema_is_refused(
    tmp_path: Path, revision: str, oldest_reader: str | None, expected: type[StoreCannotOpen]
) -> None:
    path = of_revision(tmp_path, revision, oldest_reader)
    with pytest.raises(expected, match=revision):
        await SqliteStore.open(path)


async def test_a_newer_schema_that_serves_this_version_is_opened_and_left_as_it_is(tmp_path: Path) -> None:
    path = of_revision(tmp_path, "9999", SCHEMA_REVISION)
    await (await SqliteStore.open(path)).close()
    assert migrate(path) == "9999"


async def test_a_newer_schema_is_not_migrated(tmp_path: Path) -> None:
    with pytest.raises(SchemaTooNew):
        migrate(of_revision(tmp_path, "9999", "9999"))


def test_a_migrated_file_says_how_old_a_version_may_be(tmp_path: Path) -> None:
    connection = apsw.Connection(str(template()), flags=apsw.SQLITE_OPEN_READONLY)
    said = connection.execute("SELECT value FROM meta WHERE name = ?", (OLDEST_READER,)).fetchall()
    connection.close()
    assert said == [(OLDEST_READER_REVISION,)]


async def test_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    text, foreign = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("This is no database, but it is long enough to be looked at.\n" * 100)
    connection = apsw.Connection(str(foreign))
    connection.execute("CREATE TABLE recipes (name)")
    connection.close()
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(NotADatabase, match=path.name):
            await SqliteStore.open(path)
        with pytest.raises(NotADatabase):
            migrate(path)
        assert path.read_bytes()[100:] == before[100:]


async def test_a_damaged_file_is_found_when_it_is_looked_for(tmp_path: Path) -> None:
    store = await new_store(tmp_path)
    await done(store, *(SetMeta(name=f"n{i}", value="v" * 500) for i in range(200)))
    await store.close()
    path = tmp_path / "sekisho.db"
    content = bytearray(path.read_bytes())
    content[-3 * 4096 : -4096] = b"\xff" * (2 * 4096)
    path.write_bytes(content)
    with pytest.raises(DamagedDatabase, match="backup"):
        await SqliteStore.open(path, quick_check=True)


async def test_a_clean_close_leaves_no_log_and_a_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    store = await new_store(tmp_path)
    await done(store, SetMeta(name="n", value="v"))
    assert was_cut_off(path)
    await store.close()
    assert not was_cut_off(path)


@pytest.mark.parametrize("folder", ["missing", "a-file"])
async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, folder: str) -> None:
    (tmp_path / "a-file").touch()
    path = tmp_path / folder / "sekisho.db"
    with pytest.raises(CannotWrite, match=str(path)):
        migrate(path)


async def test_two_stores_on_one_file_see_each_other_s_commits(tmp_path: Path) -> None:
    server = await new_store(tmp_path)
    _, first = await signed_in(server)
    heard: list[Committed] = []
    server.subscribe(heard.append)
    tool = await SqliteStore.open(tmp_path / "sekisho.db", durability="off", quick_check=False)
    assert not tool.has_foreign_commits()
    server.has_foreign_commits()

    await done(tool, end(first))
    assert server.has_foreign_commits()
    assert not server.has_foreign_commits()
    assert [entry.value for entry in (await server.read_journal(0)).entries] == [first.id]
    assert heard == []

    await done(server, SetMeta(name="n", value="v"))
    tool.has_foreign_commits()
    assert await tool.find_meta("n") == "v"
    await tool.close()
    await server.close()


async def test_two_writers_on_one_file_take_turns(tmp_path: Path) -> None:
    one = await new_store(tmp_path)
    two = await SqliteStore.open(tmp_path / "sekisho.db", durability="off", quick_check=False)
    for i in range(20):
        await done(one, SetMeta(name=f"one{i}", value="v"))
        await done(two, SetMeta(name=f"two{i}", value="v"))
    assert await one.find_meta("two19") == "v"
    await one.close()
    await two.close()


async def test_a_full_disk_is_unavailable_until_there_is_room(tmp_path: Path) -> None:
    store = await new_store(tmp_path)
    _, first = await signed_in(store)
    pages = store._reader.pragma("page_count")
    assert isinstance(pages, int)
    store._writer._connection.pragma("max_page_count", pages + 3)
    with pytest.raises(StoreUnavailable):
        await store.apply(SetMeta(name="big", value="x" * 100_000))
    assert await store.find_session(first.id) == first

    store._writer._connection.pragma("max_page_count", 1_000_000)
    await done(store, SetMeta(name="big", value="x" * 100_000))
    await store.close()


def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "sekisho.db"
    shutil.copy(template(), path)
    writer = subprocess.Popen([sys.executable, "-c", WRITE_UNTIL_KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(300)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [line.strip() for line in writer.stdout.read().splitlines() if line.strip()]
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL

    connection = apsw.Connection(str(path))
    kept = {row[0] for row in connection.execute("SELECT name FROM meta WHERE value = 'acknowledged'")}
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    assert len(acknowledged) >= 300
    assert set(acknowledged) <= kept


async def test_a_killed_store_opens_again_and_was_checked(tmp_path: Path) -> None:
    store = await new_store(tmp_path)
    await done(store, SetMeta(name="n", value="v"))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for file in tmp_path.glob("sekisho.db*"):
        shutil.copy(file, crashed)
    await store.close()
    assert was_cut_off(crashed / "sekisho.db")
    reopened = await SqliteStore.open(crashed / "sekisho.db")
    assert await reopened.find_meta("n") == "v"
    await reopened.close()


def test_opening_a_store_imports_no_migration_library() -> None:
    code = "import sys, sekisho.storage.sqlite; print([m for m in sys.modules if m in ('sqlalchemy', 'alembic')])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
