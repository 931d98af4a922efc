"""Group commit: what happens to the others when one call of a batch goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import apsw
import pytest

from sekisho.model import EndReason
from sekisho.ports.changes import AddAccount, AppendJournal, Change, EndSessions, SetMeta
from sekisho.ports.storage import Committed, Outcome, StoreUnavailable
from sekisho.storage.changes.locks import LOCK_ACCOUNT_ROW
from sekisho.storage.changes.session_ends import end_sessions
from sekisho.storage.revision import OLDEST_READER
from sekisho.storage.sqlite.batch import commit_batch
from sekisho.storage.sqlite.connections import open_writer
from sekisho.storage.sqlite.migration import migrate
from sekisho.storage.sqlite.writer import Writer
from sekisho.storage.steps import Step
from storage.build import NOW, account

REVOKE = AppendJournal(kind="jti", value="x", expires_at=NOW, reason="r")


class UnknownChange(Change, frozen=True, kw_only=True):
    """Nothing that an engine knows."""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    migrate(tmp_path / "a.db")
    opened = open_writer(tmp_path / "a.db", "off")
    yield opened
    opened.close()


def facts(connection: apsw.Connection) -> set[object]:
    return {row[0] for row in connection.execute("SELECT name FROM meta").fetchall()} - {OLDEST_READER}


def big(name: str) -> SetMeta:
    return SetMeta(name=name, value="x" * 100_000)


def fill_up(connection: apsw.Connection) -> None:
    """Allow the file a few more pages only: SQLite then says that the disk is full."""
    pages = connection.pragma("page_count")
    assert isinstance(pages, int)
    connection.pragma("max_page_count", pages + 5)


def test_ending_all_sessions_locks_the_account_first_where_others_write_at_the_same_time() -> None:
    change = EndSessions(
        account_id=account().id, reason=EndReason.WITHDRAWAL, now=NOW, journal_until_at=NOW, except_id=None
    )
    assert next(end_sessions(change)) == Step(LOCK_ACCOUNT_ROW, {"id": change.account_id})


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_closing_comes_to_an_end_also_if_the_file_cannot_be_closed(connection: apsw.Connection) -> None:
    class Stuck:
        def __getattr__(self, name: str) -> Any:
            return getattr(connection, name)

        def close(self) -> None:
            raise apsw.IOError("disk gone")

    writer = Writer(cast(apsw.Connection, Stuck()))
    async with asyncio.timeout(30):
        await writer.close()


def test_a_losing_call_in_the_middle_does_not_harm_the_others(connection: apsw.Connection) -> None:
    taken = account()
    verdicts, committed = commit_batch(
        connection,
        [
            (SetMeta(name="before", value="1"), AddAccount(account=taken)),
            (SetMeta(name="undone", value="1"), REVOKE, AddAccount(account=account(email_key=taken.email_key))),
            (SetMeta(name="after", value="1"),),
        ],
    )
    first, second, third = verdicts
    assert first == Outcome(("1", None))
    assert isinstance(second, Outcome)
    assert second.lost is not None
    assert third == Outcome(("1",))
    assert facts(connection) == {"before", "after"}
    assert committed is None


def test_a_failing_call_in_the_middle_fails_alone(connection: apsw.Connection) -> None:
    same = account()
    verdicts, committed = commit_batch(
        connection,
        [
            (SetMeta(name="before", value="1"), AddAccount(account=same), REVOKE),
            (SetMeta(name="undone", value="1"), AddAccount(account=account(id=same.id))),
            (SetMeta(name="undone", value="1"), UnknownChange()),
            (SetMeta(name="after", value="1"),),
        ],
    )
    assert [type(verdict) for verdict in verdicts] == [Outcome, apsw.ConstraintError, KeyError, Outcome]
    assert facts(connection) == {"before", "after"}
    assert isinstance(committed, Committed)
    assert [entry.value for entry in committed.journal] == ["x"]


def test_a_call_that_meets_a_full_disk_is_unavailable_and_the_next_batch_works(connection: apsw.Connection) -> None:
    fill_up(connection)
    (verdict,), committed = commit_batch(connection, [(REVOKE, big("big"))])
    assert isinstance(verdict, StoreUnavailable)
    assert committed is None
    assert facts(connection) == set()

    connection.pragma("max_page_count", 1_000_000)
    assert commit_batch(connection, [(big("big"),)])[0] == [Outcome(("x" * 100_000,))]
    assert facts(connection) == {"big"}


def test_when_sqlite_rolls_back_by_itself_nobody_is_told_done(connection: apsw.Connection) -> None:
    connection.execute(
        "CREATE TEMP TRIGGER t AFTER INSERT ON meta WHEN new.name = 'cut' BEGIN SELECT RAISE(ROLLBACK, 'x'); END"
    )
    verdicts, committed = commit_batch(
        connection, [(SetMeta(name="before", value="1"), REVOKE), (SetMeta(name="cut", value="1"),), (REVOKE,)]
    )
    assert [type(verdict) for verdict in verdicts] == [StoreUnavailable] * 3
    assert len({id(verdict) for verdict in verdicts}) == 3
    assert committed is None
    assert facts(connection) == set()
    assert commit_batch(connection, [(SetMeta(name="next", value="1"),)])[0] == [Outcome(("1",))]


def test_when_the_commit_fails_nobody_is_told_done(connection: apsw.Connection) -> None:
    connection.set_commit_hook(lambda: True)
    verdicts, committed = commit_batch(connection, [(SetMeta(name="a", value="1"),), (REVOKE,)])
    assert [type(verdict) for verdict in verdicts] == [StoreUnavailable] * 2
    assert committed is None
    connection.set_commit_hook(None)
    assert facts(connection) == set()
    assert commit_batch(connection, [(SetMeta(name="a", value="1"),)])[0] == [Outcome(("1",))]


def test_a_locked_file_is_unavailable(connection: apsw.Connection, tmp_path: Path) -> None:
    connection.set_busy_timeout(10)
    other = open_writer(tmp_path / "a.db", "off")
    other.execute("BEGIN IMMEDIATE")
    (verdict,), _ = commit_batch(connection, [(REVOKE,)])
    assert isinstance(verdict, StoreUnavailable)
    assert str(verdict) == "SQLite: BusyError"
    other.execute("ROLLBACK")
    other.close()
    assert isinstance(commit_batch(connection, [(REVOKE,)])[0][0], Outcome)
