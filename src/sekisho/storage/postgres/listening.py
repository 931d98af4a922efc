"""Hearing what other nodes commit: one connection that listens, and a clock as the net below it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from sekisho.storage.postgres.calls import CHANNEL
from sekisho.storage.postgres.connections import APPLICATION, UNAVAILABLE, Target, connect

# A look at the server so often keeps the connection open in firewalls and finds out when it is dead.
PROBE_EVERY_S = 10.0
PROBE_TIMEOUT_S = 5.0
RECONNECT_S = (0.1, 0.5, 1.0, 2.0)


class Ear:
    """Whether there may be news. Where it cannot listen it says yes at every turn of the clock: late, never deaf.

    Args:
        node: what our own notifications carry; they are no news.
        poll_s: after this long without a look the answer is yes.
    """

    def __init__(self, target: Target, node: str, poll_s: float) -> None:
        self._target = target
        self._node = node
        self._poll_s = poll_s
        self._has_news = False
        self._looked_at = time.monotonic()
        self._gone = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen.

        Raises:
            Exception: the driver's; call it inside `explained`.
        """
        await self._listen()
        self._task = asyncio.create_task(self._keep_listening())

    def wake(self) -> None:
        self._has_news = True

    def has_news(self) -> bool:
        """Whether anything may have happened since the last call."""
        now = time.monotonic()
        if self._has_news or now - self._looked_at >= self._poll_s:
            self._has_news, self._looked_at = False, now
            return True
        return False

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _listen(self) -> None:
        target = self._target
        self._gone.clear()
        connection = await connect(target, target.listen_url or target.url, application_name=APPLICATION)
        connection.add_termination_listener(self._on_gone)
        self._connection = connection
        await connection.add_listener(CHANNEL, self._on_notification)

    async def _keep_listening(self) -> None:
        failures = 0
        while True:
            try:
                if self._connection is None:
                    await self._listen()
                    # Whatever was notified in between was said to nobody.
                    self.wake()
                failures = 0
                await self._until_dead()
            except (*UNAVAILABLE, asyncpg.PostgresError):
                await asyncio.sleep(RECONNECT_S[min(failures, len(RECONNECT_S) - 1)])
                failures += 1
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None

    async def _until_dead(self) -> None:
        assert self._connection is not None
        while True:
            try:
                await asyncio.wait_for(self._gone.wait(), PROBE_EVERY_S)
            except TimeoutError:
                await self._connection.fetchval("SELECT 1", timeout=PROBE_TIMEOUT_S)
            else:
                return

    def _on_gone(self, _: Any) -> None:
        self._gone.set()

    def _on_notification(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        if payload != self._node:
            self._has_news = True
