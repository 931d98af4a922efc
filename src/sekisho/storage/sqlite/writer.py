"""The writer thread: commits at once what has gathered, and hands all answers to the event loop together.

Calls gather on the event loop while the thread is busy, and for the rest of the loop's turn when it is not. So
each commit costs one hand-over there and one back, however many calls share it: waking the thread for every
call makes the two fight for the interpreter, which costs more than the writing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
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
        self._gathered: deque[Waiting] = deque()
        self._is_handing_over = False
        self._is_writing = False
        self._batches: SimpleQueue[list[Waiting] | None] = SimpleQueue()
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
        self._gathered.append((call, future))
        if not self._is_writing and not self._is_handing_over:
            self._is_handing_over = True
            self._loop.call_soon(self._hand_over)
        return future

    def subscribe(self, listener: Listener) -> None:
        self._listeners.append(listener)

    async def close(self) -> None:
        """Finish what was submitted, then close the connection. May be called more than once."""
        if not self._is_closing:
            self._is_closing = True
            if not self._is_writing:
                self._hand_over()
        await asyncio.shield(self._ended)
        self._thread.join()

    def _hand_over(self) -> None:
        """Give the thread what has gathered; when nothing is left and we are closing, tell it to end."""
        self._is_handing_over = False
        if self._is_writing:
            return
        if self._gathered:
            self._is_writing = True
            self._batches.put([self._gathered.popleft() for _ in range(min(MOST_CALLS, len(self._gathered)))])
        elif self._is_closing:
            self._is_writing = True
            self._batches.put(None)

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            verdicts, committed = commit_batch(self._connection, [call for call, _ in batch])
            self._on_loop(self._deliver, batch, verdicts, committed)
        try:
            self._connection.close()
        finally:
            self._on_loop(self._ended.set_result, None)

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
        self._is_writing = False
        self._hand_over()

    def _tell(self, committed: Committed) -> None:
        for listener in self._listeners:
            try:
                listener(committed)
            except Exception as error:
                self._loop.call_exception_handler({"message": "a store listener failed", "exception": error})
