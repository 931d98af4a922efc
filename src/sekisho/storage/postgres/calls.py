"""Running one call: its steps in one transaction, or without one where a single statement is all there is."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg
from msgspec import Struct

from sekisho.model import JournalEntry
from sekisho.ports import changes
from sekisho.ports.changes import Change
from sekisho.ports.storage import Committed, Lost, Outcome
from sekisho.storage.changes import STEPS_OF
from sekisho.storage.changes.upkeep import purge_expired
from sekisho.storage.postgres.journal import PUBLISH
from sekisho.storage.postgres.rotation import rotate_session
from sekisho.storage.postgres.texts import with_values
from sekisho.storage.steps import Losing, Maker, Step, Steps, Telling

CHANNEL = "sekisho"
NOTIFY = "SELECT pg_notify($1, $2)"


def _purge_expired(change: changes.PurgeExpired) -> Steps:
    """An entry that nobody has read is as old as the others."""
    yield Step(PUBLISH, {})
    return (yield from purge_expired(change))


STEPS: Mapping[type[Change], Maker] = MappingProxyType(
    {**STEPS_OF, changes.RotateSession: rotate_session, changes.PurgeExpired: _purge_expired}
)

# Changes of exactly one statement that have nothing to tell: the statement is the transaction.
ONE_STATEMENT: frozenset[type[Change]] = frozenset(
    {
        changes.RotateSession,
        changes.TouchSession,
        changes.ChangeProfile,
        changes.ReplacePasswordHash,
        changes.ConsumeCode,
        changes.GiveBackTry,
        changes.RememberDevice,
        changes.SetMeta,
        changes.AppendAudit,
        changes.MailSent,
    }
)

Call = tuple[Change, ...]


class _Undo(Exception):
    """Leaves the transaction without keeping anything."""


class Ran(Struct, frozen=True):
    """What a call came to. `committed` is what listeners must hear, if there is something."""

    outcome: Outcome
    committed: Committed | None = None


async def run_call(connection: asyncpg.Connection, call: Call, node: str) -> Ran:
    """Run a call and commit it, or leave nothing of it. News wakes the other nodes: a notification goes out with the
    commit, and only then, for notifying commits take turns in the server.

    Raises:
        asyncpg.PostgresError, OSError: nothing was kept, or for a cut during the commit perhaps all.
    """
    if len(call) == 1 and type(call[0]) in ONE_STATEMENT:
        outcome, told = await _run_changes(connection, call, most_statements=1)
        if told:
            raise RuntimeError(f"{type(call[0]).__name__} has news: it needs a transaction")
        return Ran(outcome)
    outcome, told = Outcome(), []
    try:
        async with connection.transaction():
            outcome, told = await _run_changes(connection, call)
            if outcome.lost is not None:
                raise _Undo
            if told:
                await connection.execute(NOTIFY, CHANNEL, node)
    except _Undo:
        return Ran(outcome)
    return Ran(outcome, _news(told))


def _news(told: list[Telling]) -> Committed | None:
    if not told:
        return None
    journal: tuple[JournalEntry, ...] = tuple(entry for one in told for entry in one.journal)
    mail_queued = any(one.mail_queued for one in told)
    keys_changed = any(one.keys_changed for one in told)
    return Committed(journal, mail_queued, keys_changed) if journal or mail_queued or keys_changed else None


async def _run_changes(
    connection: asyncpg.Connection, call: Call, most_statements: int | None = None
) -> tuple[Outcome, list[Telling]]:
    results: list[object] = []
    told: list[Telling] = []
    statements = 0
    for change in call:
        steps = STEPS[type(change)](change)
        try:
            step = next(steps)
            while True:
                statements += 1
                if most_statements is not None and statements > most_statements:
                    raise RuntimeError(f"{type(change).__name__} has several statements: it needs a transaction")
                text, values = with_values(step.sql, step.values)
                step = steps.send(await connection.fetch(text, *values))
        except StopIteration as end:
            result = end.value
        if type(result) is Losing:
            return Outcome(lost=Lost(change, result.why, result.retry_at)), []
        if type(result) is Telling:
            if result.journal or result.mail_queued or result.keys_changed:
                told.append(result)
            result = result.result
        results.append(result)
    return Outcome(tuple(results)), told
