"""One durable commit for whatever is waiting: the calls of a batch, each in its savepoint. No threads here.

A call that loses or fails is undone alone; the others are kept. Whatever breaks the transaction itself fails the
whole batch, and nobody in it is told "done".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import apsw

from sekisho.model import JournalEntry
from sekisho.ports.changes import Change
from sekisho.ports.storage import Committed, Lost, Outcome, StoreUnavailable
from sekisho.storage.changes import STEPS_OF
from sekisho.storage.sqlite.connections import UNAVAILABLE
from sekisho.storage.steps import Losing, Telling

Call: TypeAlias = tuple[Change, ...]
Verdict: TypeAlias = Outcome | Exception


class _TransactionGone(Exception):
    """SQLite rolled everything back by itself, also the calls that had gone well."""


class _News:
    """What the calls of a batch have to tell."""

    def __init__(self) -> None:
        self.journal: list[JournalEntry] = []
        self.mail_queued = False
        self.keys_changed = False

    def add(self, told: Sequence[Telling]) -> None:
        for one in told:
            self.journal.extend(one.journal)
            self.mail_queued |= one.mail_queued
            self.keys_changed |= one.keys_changed

    def committed(self) -> Committed | None:
        if not (self.journal or self.mail_queued or self.keys_changed):
            return None
        return Committed(tuple(self.journal), self.mail_queued, self.keys_changed)


def commit_batch(connection: apsw.Connection, calls: Sequence[Call]) -> tuple[list[Verdict], Committed | None]:
    """Run all calls and commit once. Returns one verdict per call, and what listeners must hear. Never raises."""
    news = _News()
    # One for all: each call of a connection makes a cursor of its own, which costs as much as a savepoint.
    cursor = connection.cursor()
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("BEGIN IMMEDIATE")
        verdicts = [_run_call(cursor, call, news) for call in calls]
        connection.execute("COMMIT")
    except Exception as error:
        _roll_back(connection)
        return [_unavailable(error) for _ in calls], None
    return verdicts, news.committed()


def _run_call(cursor: apsw.Cursor, call: Call, news: _News) -> Verdict:
    execute = cursor.execute
    execute("SAVEPOINT one_call")
    try:
        outcome, told = _run_changes(cursor, call)
    except Exception as error:
        if not cursor.connection.in_transaction:
            raise _TransactionGone from error
        execute("ROLLBACK TO one_call")
        execute("RELEASE one_call")
        return _unavailable(error) if isinstance(error, UNAVAILABLE) else error
    if outcome.lost is not None:
        execute("ROLLBACK TO one_call")
    elif told:
        news.add(told)
    execute("RELEASE one_call")
    return outcome


def _run_changes(cursor: apsw.Cursor, call: Call) -> tuple[Outcome, list[Telling]]:
    execute = cursor.execute
    results: list[object] = []
    told: list[Telling] = []
    for change in call:
        steps = STEPS_OF[type(change)](change)
        try:
            step = next(steps)
            while True:
                step = steps.send(execute(step.sql, step.values).fetchall())
        except StopIteration as end:
            result = end.value
        if type(result) is Losing:
            return Outcome(lost=Lost(change, result.why, result.retry_at)), []
        if type(result) is Telling:
            told.append(result)
            result = result.result
        results.append(result)
    return Outcome(tuple(results)), told


def _roll_back(connection: apsw.Connection) -> None:
    """Leave the transaction, if SQLite has not done so. If even that fails, the next batch tries again."""
    try:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    except apsw.Error:
        return


def _unavailable(error: BaseException) -> StoreUnavailable:
    """A new exception for each caller; SQLite's own words stay in its cause (they hold no parameter values)."""
    refusal = StoreUnavailable(f"SQLite: {type(error.__cause__ or error).__name__}")
    refusal.__cause__ = error
    return refusal
