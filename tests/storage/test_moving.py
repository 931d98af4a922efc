"""Moving an installation to another engine: whole, resumable, and the source as it was."""

# ruff: noqa: ASYNC240 - files are looked at between the steps of a test, nobody waits meanwhile

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from sekisho.assemble import open_store
from sekisho.master_secret import MasterSecret
from sekisho.model import FactorKind, RecoveryEmail
from sekisho.ports.changes import AppendJournal, PurgeExpired, SetMeta
from sekisho.ports.factor_changes import SuspendFactor
from sekisho.ports.recovery_changes import SetRecoveryEmail
from sekisho.settings import load
from sekisho.storage.errors import DatabaseBusy, SchemaTooOld
from sekisho.storage.moving import mover
from sekisho.storage.moving.mover import NotTheSame, TargetNotEmpty, look, move
from sekisho.storage.moving.postgres import PostgresSide
from sekisho.storage.moving.sqlite import SqliteSide
from sekisho.storage.moving.tables import table_shapes
from sekisho.storage.postgres import PostgresStore
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.migration import migrate
from sekisho.storage.unfinished import UnfinishedMove
from storage.build import JOURNAL_UNTIL, NOW, done, end, signed_in
from storage.contract_factors import a_factor, add, confirm
from storage.fast_postgres import new_database

pytestmark = pytest.mark.anyio

TABLES = table_shapes()
SECRET = secrets.token_urlsafe(32)


class CutOff(Exception):
    """The process died here."""


def silent(table: str, rows: int, wanted: int) -> None:
    """Progress that nobody looks at."""


@pytest.fixture
async def source(tmp_path: Path) -> Path:
    """A file with ten accounts and sessions, one of them ended, and a factor that is suspended."""
    path = tmp_path / "source.db"
    migrate(path)
    store = await SqliteStore.open(path, durability="off")
    await done(store, SetMeta(name="master_secret_check", value=MasterSecret(SECRET.encode()).fingerprint()))
    people = [await signed_in(store) for _ in range(10)]
    await done(store, end(people[0][1]))
    second = RecoveryEmail(
        account_id=people[0][0].id, email="a@b.test", email_key="a@b.test", verified_at=JOURNAL_UNTIL
    )
    await done(store, SetRecoveryEmail(recovery=second, security_version=1))
    mail = a_factor(people[1][0], kind=FactorKind.EMAIL)
    await done(store, add(mail), confirm(mail), SuspendFactor(factor_id=mail.id, account_id=mail.account_id, now=NOW))
    await store.close()
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target.db"
    migrate(path)
    return path


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mover, "BATCH", 3)


async def moved(source: Path, target: Path, side: type[SqliteSide] = SqliteSide) -> dict[str, tuple[int, int]]:
    """Return rows and copied rows of each table."""
    from_side, to_side = SqliteSide.open(source), side.open(target)
    try:
        return {one.name: (one.rows, one.copied) for one in await move(from_side, to_side, TABLES, silent)}
    finally:
        await from_side.close()
        await to_side.close()


async def test_everything_arrives_and_the_journal_goes_on_with_its_numbers(source: Path, target: Path) -> None:
    found = await moved(source, target)
    assert (found["accounts"], found["sessions"], found["journal"]) == ((10, 10), (10, 10), (1, 1))

    before, after = await SqliteStore.open(source), await SqliteStore.open(target)
    (ended,), old = (await before.read_journal(0)).entries, await before.read_journal(0)
    assert await after.read_journal(0) == old
    assert await after.list_accounts() == await before.list_accounts()
    second = [await after.find_recovery_email(one.id) for one in await after.list_accounts()]
    assert [each.email for each in second if each] == ["a@b.test"]
    factors = [each for one in await after.list_accounts() for each in await after.list_factors(one.id)]
    assert [each.suspended_at for each in factors] == [NOW]
    entry = AppendJournal(kind="jti", value="new", expires_at=JOURNAL_UNTIL, reason="test")
    await done(after, entry)
    assert (await after.read_journal(ended.seq)).entries[0].seq == ended.seq + 1
    await before.close()
    await after.close()


async def with_a_purged_journal(source: Path) -> int:
    """Delete the journal's only entry; return its number."""
    store = await SqliteStore.open(source)
    seen = (await store.read_journal(0)).entries[-1].seq
    purge = PurgeExpired(
        now=JOURNAL_UNTIL, ended_before_at=0, devices_before_at=0, journal_before_at=JOURNAL_UNTIL, limit=100
    )
    await done(store, purge)
    assert (await store.read_journal(0)).entries == ()
    await store.close()
    return seen


NEXT_ENTRY = AppendJournal(kind="jti", value="new", expires_at=JOURNAL_UNTIL, reason="test")


async def test_numbers_that_were_given_to_rows_that_are_gone_are_not_given_again(source: Path, target: Path) -> None:
    seen = await with_a_purged_journal(source)
    await moved(source, target)
    after = await SqliteStore.open(target)
    await done(after, NEXT_ENTRY)
    assert [entry.value for entry in (await after.read_journal(seen)).entries] == ["new"]
    await after.close()


async def test_a_server_takes_over_the_numbers_too_and_hands_them_back(source: Path, target: Path) -> None:
    seen = await with_a_purged_journal(source)
    there = await asyncio.to_thread(new_database)
    from_side, to_side = SqliteSide.open(source), await PostgresSide.open(there)
    found = await move(from_side, to_side, TABLES, silent)
    assert {one.name: one.rows for one in found}["sessions"] == 10
    await from_side.close()
    await to_side.close()
    after = await PostgresStore.open(there)
    await done(after, NEXT_ENTRY)
    assert [entry.value for entry in (await after.read_journal(seen)).entries] == ["new"]
    await done(after, NEXT_ENTRY)
    await after.close()

    # The last entry was never read on the server, so it has no number there yet.
    from_server, back = await PostgresSide.open(there), SqliteSide.open(target)
    await move(from_server, back, TABLES, silent)
    await from_server.close()
    await back.close()
    again = await SqliteStore.open(target)
    assert len((await again.read_journal(seen)).entries) == 2
    await again.close()


async def test_the_source_stays_as_it_was_to_the_byte(source: Path, target: Path) -> None:
    before = sha256(source.read_bytes()).digest()
    await moved(source, target)
    assert sha256(source.read_bytes()).digest() == before


@pytest.mark.usefixtures("small_batches")
async def test_a_move_that_was_cut_off_goes_on_where_it_stopped(source: Path, target: Path) -> None:
    class Dying(SqliteSide):
        writes = 0

        async def write(self, *given: object) -> None:
            Dying.writes += 1
            if Dying.writes == 3:
                raise CutOff
            await super().write(*given)  # type: ignore[arg-type]

    with pytest.raises(CutOff):
        await moved(source, target, Dying)
    settings = {"SEKISHO_SECRET": SECRET, "SEKISHO_DATABASE_URL": f"sqlite:///{target}"}
    with pytest.raises(UnfinishedMove):
        await open_store(load("dev", settings, target.parent), MasterSecret(SECRET.encode()))

    found = await moved(source, target)
    assert found["accounts"] == (10, 4)
    assert found["sessions"] == (10, 10)
    store = await open_store(load("dev", settings, target.parent), MasterSecret(SECRET.encode()))
    assert len(await store.list_accounts()) == 10
    await store.close()


async def test_a_database_that_holds_something_takes_nothing(source: Path, target: Path) -> None:
    store = await SqliteStore.open(target, durability="off")
    await signed_in(store)
    await store.close()
    with pytest.raises(TargetNotEmpty, match="accounts has 1 rows"):
        await moved(source, target)


async def test_another_source_does_not_go_on_with_an_unfinished_move(
    source: Path, target: Path, tmp_path: Path
) -> None:
    class Dying(SqliteSide):
        async def finish(self, *given: object) -> None:
            raise CutOff

    with pytest.raises(CutOff):
        await moved(source, target, Dying)
    other = tmp_path / "other.db"
    migrate(other)
    await (await SqliteStore.open(other)).close()
    with pytest.raises(TargetNotEmpty):
        await moved(other, target)


async def test_a_difference_is_found_and_leaves_the_target_closed(source: Path, target: Path) -> None:
    class Lossy(SqliteSide):
        async def write(self, table: object, rows: object, name: str, note: str) -> None:
            kept = rows[:-1] if getattr(table, "name", "") == "audit" else rows  # type: ignore[index]
            await super().write(table, kept, name, note)  # type: ignore[arg-type]

    with pytest.raises(NotTheSame, match="audit"):
        await moved(source, target, Lossy)
    side = SqliteSide.open(target)
    assert await side.note("move") is not None
    await side.close()


async def test_a_dry_run_counts_and_changes_nothing(source: Path, target: Path) -> None:
    before = target.read_bytes()
    from_side, to_side = SqliteSide.open(source), SqliteSide.open(target)
    plan = await look(from_side, to_side, TABLES)
    await from_side.close()
    await to_side.close()
    assert ("accounts", 10, 0) in plan.tables
    assert not plan.is_resumed
    assert target.read_bytes() == before


@pytest.fixture
async def served(source: Path) -> AsyncIterator[Path]:
    store = await SqliteStore.open(source)
    yield source
    await store.close()


async def test_a_file_that_a_server_has_open_is_not_moved(served: Path, target: Path) -> None:
    with pytest.raises(DatabaseBusy):
        await moved(served, target)
    with pytest.raises(DatabaseBusy):
        await moved(target, served)


async def test_a_file_that_is_not_there_is_told(source: Path, tmp_path: Path) -> None:
    with pytest.raises(SchemaTooOld):
        SqliteSide.open(tmp_path / "nowhere.db")
