"""The writer thread: takes what is waiting, commits it at once, and hands all answers to the event loop together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeAlias

import apsw

from sekisho.ports.storage import Committed, Outcome, StoreUnavailable
from sekisho.storage.sqlite.batch import Call, Verdict, commit_batch

# Large enough that one flush of the disk serves all who wait, small enough that the first of them is not kept waiting.
MOST_CALLS = 256

Waiting: TypeAlias = tuple[Call, "asyncio.Future[Outcome]"]
Listener: TypeAlias = Callable[[Committed], None]


class Writer:
    """Owns the writing connection from here on. All methods belong to the event loop."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Waiting | None] = SimpleQueue()
        self._listeners: list[Listener] = []
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._is_closing = False
        self._thread = Thread(target=self._run, name="sekisho-sqlite-writer", daemon=True)
        self._thread.start()

    def submit(self, call: Call) -> asyncio.Future[Outcome]:
        """Put a call in line. Cancelling the future does not take it out again."""
        if self._is_closing:
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._queue.put((call, future))
        return future

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        """Finish what was submitted, then close the connection. May be called more than once."""
        if not self._is_closing:
            self._is_closing = True
            self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _run(self) -> None:
        is_last = False
        while not is_last:
            batch, is_last = self._next_batch()
            if batch:
                verdicts, committed = commit_batch(self._connection, [call for call, _ in batch])
                self._on_loop(self._deliver, batch, verdicts, committed)
        self._connection.close()
        self._on_loop(self._ended.set_result, None)

    def _next_batch(self) -> tuple[list[Waiting], bool]:
        """Wait for one call, take what else is there. True: the store is closing and these are the last."""
        batch: list[Waiting] = []
        waiting = self._queue.get()
        try:
            while waiting is not None:
                batch.append(waiting)
                if len(batch) == MOST_CALLS:
                    return batch, False
                waiting = self._queue.get_nowait()
        except Empty:
            return batch, False
        return batch, True

    def _on_loop(self, function: Callable[..., None], *values: object) -> None:
        """Nobody waits for answers on a loop that is closed."""
        try:
            self._loop.call_soon_threadsafe(function, *values)
        except RuntimeError:
            return

    def _deliver(self, batch: list[Waiting], verdicts: list[Verdict], committed: Committed | None) -> None:
        """Listeners first: who is told "done" may rely on every memory of this process knowing it."""
        if committed is not None:
            self._tell(committed)
        for (_, future), verdict in zip(batch, verdicts, strict=True):
            if future.done():
                continue
            if isinstance(verdict, Exception):
                future.set_exception(verdict)
            else:
                future.set_result(verdict)

    def _tell(self, committed: Committed) -> None:
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception as error:
                self._loop.call_exception_handler({"message": "a store listener failed", "exception": error})
