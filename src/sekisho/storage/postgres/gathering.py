"""Rotations that leave together: one connection, one statement and one commit for all that have gathered.

They gather for the rest of the loop's turn, and longer only while all connections are at work. What a rotation costs
alone is for the most part taking a connection, a round trip and a commit: together they pay it once.

Each is judged by its own row, as if it were alone. A row that another transaction holds is left out, and its rotation
goes again by itself: nobody waits for the lock of somebody else's session.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import asyncpg
from msgspec import Struct

from sekisho.model import SessionId
from sekisho.ports.changes import RotateSession
from sekisho.ports.storage import Outcome, StoreUnavailable
from sekisho.storage.postgres.connections import UNAVAILABLE
from sekisho.storage.postgres.rotation import rotate_together, verdict_of
from sekisho.storage.steps import Row

# Few enough that the first of them is not kept waiting.
MOST_TOGETHER = 64

Waiting: TypeAlias = tuple[RotateSession, "asyncio.Future[Outcome]"]
Rows: TypeAlias = Mapping[SessionId, Row]


class Ways(Struct, frozen=True):
    """What `Gathering` stands on.

    start: runs a coroutine to its end, whoever is cancelled.
    on_connection: waits for a connection and does some work on it; raises StoreUnavailable.
    alone: runs one rotation by itself, which waits for its row.
    """

    start: Callable[[Coroutine[Any, Any, Any]], asyncio.Task[Any]]
    on_connection: Callable[[Callable[[asyncpg.Connection], Awaitable[Any]]], Awaitable[Any]]
    alone: Callable[[RotateSession], Coroutine[Any, Any, Outcome]]


class Gathering:
    """Belongs to one event loop. `most_leaving` is how many connections may be at work for it."""

    def __init__(self, ways: Ways, most_leaving: int) -> None:
        self._ways = ways
        self._most_leaving = most_leaving
        self._gathered: deque[Waiting] = deque()
        self._leaving = 0
        self._is_called = False

    def submit(self, change: RotateSession) -> asyncio.Future[Outcome]:
        """Let a rotation leave with the next. Cancelling the future does not keep it back."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._gathered.append((change, future))
        self._call()
        return future

    def _call(self) -> None:
        """Let those who have gathered leave in the loop's next turn, with whoever comes in this one."""
        if self._gathered and not self._is_called and self._leaving < self._most_leaving:
            self._is_called = True
            self._leaving += 1
            self._ways.start(self._leave())

    async def _leave(self) -> None:
        self._is_called = False
        together: list[Waiting] = []

        async def work(connection: asyncpg.Connection) -> Rows | None:
            # Only now: while there was no connection, more have come.
            together.extend(self._take())
            self._call()
            return await _rotate(connection, [change for change, _ in together])

        try:
            rows = await self._ways.on_connection(work)
        except Exception as error:
            # Where the first gets no connection, those behind it get none either.
            _fail(together or self._take_all(), error)
        else:
            self._deliver(together, rows)
        finally:
            self._leaving -= 1
            self._call()

    def _take(self) -> list[Waiting]:
        """Return who leaves now: one of each session, for the second must find what the first has left."""
        together: dict[SessionId, Waiting] = {}
        for _ in range(min(MOST_TOGETHER, len(self._gathered))):
            one = self._gathered.popleft()
            if together.setdefault(one[0].session_id, one) is not one:
                self._gathered.append(one)
        return [*together.values()]

    def _take_all(self) -> list[Waiting]:
        taken = [*self._gathered]
        self._gathered.clear()
        return taken

    def _deliver(self, together: Sequence[Waiting], rows: Rows | None) -> None:
        for change, future in together:
            row = None if rows is None else rows.get(change.session_id)
            if rows is None or (row is None and len(together) > 1):
                going = self._ways.start(self._ways.alone(change))
                going.add_done_callback(partial(_hand_on, future))
            else:
                _settle(future, change, row)


async def _rotate(connection: asyncpg.Connection, together: Sequence[RotateSession]) -> Rows | None:
    """Return the rows, or None where the statement was refused and nothing is kept: whose fault it is shows alone."""
    if not together:
        return {}
    try:
        return await rotate_together(connection, together)
    except UNAVAILABLE:
        raise
    except asyncpg.PostgresError:
        return None


def _settle(future: asyncio.Future[Outcome], change: RotateSession, row: Row | None) -> None:
    if future.done():
        return
    try:
        verdict = verdict_of(change, row)
    except Exception as error:
        # Whatever is wrong with this row, the others are answered.
        future.set_exception(error)
    else:
        future.set_result(Outcome((verdict,)))


def _hand_on(future: asyncio.Future[Outcome], gone: asyncio.Task[Outcome]) -> None:
    """Give the caller what its rotation came to alone."""
    if future.done():
        return
    if gone.cancelled():
        future.cancel()
    elif (error := gone.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(gone.result())


def _fail(together: Sequence[Waiting], error: Exception) -> None:
    for _, future in together:
        if not future.done():
            future.set_exception(_for_one_more(error))


def _for_one_more(error: Exception) -> Exception:
    """Return a refusal of its own for each caller, since each adds to it where it went through."""
    if not isinstance(error, StoreUnavailable):
        return error
    refusal = StoreUnavailable(*error.args)
    refusal.__cause__ = error
    return refusal
