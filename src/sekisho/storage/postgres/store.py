"""The store on PostgreSQL: a pool of connections, one transaction a call, news by notification."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from sekisho.model import AuditRecord, JournalPage
from sekisho.ports.changes import Change, RotateSession, SetMeta
from sekisho.ports.storage import Committed, Outcome, Store, StoreUnavailable
from sekisho.storage import queries
from sekisho.storage.postgres.audit import ANY_AUDIT_BEHIND, HOLD_AUDIT
from sekisho.storage.postgres.calls import Call, Ran, run_call
from sekisho.storage.postgres.connections import (
    MET,
    UNAVAILABLE,
    Target,
    check_server,
    check_tables,
    explained,
    open_pool,
)
from sekisho.storage.postgres.gathering import Gathering, Ways
from sekisho.storage.postgres.journal import LOOK, PUBLISH
from sekisho.storage.postgres.listening import Ear
from sekisho.storage.postgres.texts import with_values
from sekisho.storage.reads import GENERATION, SqlReads
from sekisho.storage.rows import audit_record_from, journal_entry_from
from sekisho.storage.steps import Row, Value

Result = TypeVar("Result")

# Steps are pure, so a call that met another is simply run again.
MOST_RUNS = 4
POLL_S = 0.5


class PostgresStore(SqlReads):
    """`ports.storage.Store` on one PostgreSQL database. Made by `open`; belongs to the event loop that opened it."""

    def __init__(self, target: Target, pool: asyncpg.Pool, poll_s: float) -> None:
        self._pool = pool
        self._wait_s = target.statement_timeout_ms / 1000
        self._node = secrets.token_hex(16)
        self._ear = Ear(target, self._node, poll_s)
        self._listeners: list[Callable[[Committed], None]] = []
        self._running: set[asyncio.Task[Any]] = set()
        ways = Ways(self._start, self._on_connection, lambda change: self._run((change,)))
        self._rotations = Gathering(ways, most_leaving=target.pool_size)
        self._is_closed = False

    @classmethod
    async def open(cls, target: Target, *, poll_s: float = POLL_S) -> PostgresStore:
        """Open a migrated database.

        Args:
            poll_s: how long at most to rely on notifications alone.

        Raises:
            StoreCannotOpen: one of its kinds, with what to do.
        """
        with explained(target.place):
            pool = await open_pool(target)
            store = None
            try:
                async with pool.acquire(timeout=target.statement_timeout_ms / 1000) as connection:
                    await check_server(connection, target.place)
                    await check_tables(connection, target.place)
                store = cls(target, pool, poll_s)
                await store._ear.start()
            except BaseException:
                if store is not None:
                    await store._ear.stop()
                pool.terminate()
                raise
        try:
            await store._begin()
        except BaseException:
            await store.close()
            raise
        return store

    async def _begin(self) -> None:
        """Name the journal's generation once, so that readers notice a restore."""
        if await self.find_meta(GENERATION) is None:
            await self.apply(SetMeta(name=GENERATION, value=secrets.token_urlsafe(16)))

    async def apply(self, *changes: Change) -> Outcome:
        if not changes:
            return Outcome()
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        if len(changes) == 1 and type(changes[0]) is RotateSession:
            return await self._rotations.submit(changes[0])
        # A task of its own: a caller that is cancelled leaves the call to come to its end.
        return await asyncio.shield(self._start(self._run(changes)))

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        self._listeners.append(listener)

    def has_foreign_commits(self) -> bool:
        """Whether anybody may have committed something that others must hear of."""
        return self._ear.has_news()

    async def close(self) -> None:
        """Finish what was submitted, then let go of the connections. May be called more than once."""
        self._is_closed = True
        while self._running:
            await asyncio.wait(self._running)
        await self._ear.stop()
        # No statement runs for longer than its timeout.
        try:
            await asyncio.wait_for(self._pool.close(), self._wait_s)
        except TimeoutError:
            self._pool.terminate()

    async def read_journal(self, after_seq: int, limit: int = 1000) -> JournalPage:
        """Publish what is committed and has no number yet, then read."""
        generation, is_waiting = (await self._fetch(LOOK, {"name": GENERATION}))[0]
        if is_waiting:
            await self._on_connection(lambda connection: connection.execute(PUBLISH))
        rows = await self._fetch(queries.READ_JOURNAL, {"after_seq": after_seq, "limit": limit})
        entries = tuple(journal_entry_from(row) for row in rows)
        return JournalPage(generation or "", entries, entries[-1].seq if entries else after_seq)

    async def read_audit_to_seal(self, after_seq: int, limit: int) -> list[AuditRecord]:
        """A sequence gives numbers when rows are written, not when they are committed. So wait, for a moment only,
        until nobody who writes holds a number without having committed."""
        if not await self._fetch(ANY_AUDIT_BEHIND, {"after_seq": after_seq}):
            return []
        text, in_order = with_values(queries.READ_AUDIT_TO_SEAL, {"after_seq": after_seq, "limit": limit})

        async def read(connection: asyncpg.Connection) -> Sequence[Row]:
            async with connection.transaction():
                await connection.execute(HOLD_AUDIT)
                rows: Sequence[Row] = await connection.fetch(text, *in_order)
                return rows

        return [audit_record_from(row) for row in await self._on_connection(read)]

    async def _fetch(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        text, in_order = with_values(sql, values)
        rows: Sequence[Row] = await self._on_connection(lambda connection: connection.fetch(text, *in_order))
        return rows

    async def _scan(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        return await self._fetch(sql, values)

    async def _run(self, call: Call) -> Outcome:
        for run in range(1, MOST_RUNS + 1):
            try:
                ran: Ran = await self._on_connection(lambda connection: run_call(connection, call, self._node))
            except MET as error:
                if run < MOST_RUNS:
                    # Not all at the same moment again.
                    await asyncio.sleep(secrets.randbelow(50 * run) / 1000)
                    continue
                if isinstance(error, asyncpg.UniqueViolationError):
                    raise
                raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error
            if ran.committed is not None:
                self._ear.wake()
                self._tell(ran.committed)
            return ran.outcome
        raise AssertionError("the last run returns or raises")

    async def _on_connection(self, work: Callable[[Any], Any]) -> Any:
        """Wait for a connection, not for long, and do the work on it."""
        try:
            async with self._pool.acquire(timeout=self._wait_s) as connection:
                return await work(connection)
        except MET:
            raise
        except UNAVAILABLE as error:
            raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error

    def _start(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """Run it to its end in a task of its own, which `close` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Somebody who was cancelled no longer asks; an error that nobody asks for is not an accident of ours.
            task.exception()

    def _tell(self, committed: Committed) -> None:
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception as error:
                context = {"message": "a store listener failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


if TYPE_CHECKING:
    # The engine is loaded by name, so that this is where its shape is held to the port's.
    _: type[Store] = PostgresStore
