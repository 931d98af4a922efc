"""Telling every node that somebody committed. The message says nothing: what happened stands in SQL, in commit order.

A lost message costs nothing but time: the wrapped store notices foreign commits by itself, only later.
"""

from __future__ import annotations

import asyncio
import math
import secrets
from contextlib import suppress

from redis.exceptions import RedisError

from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.redis.fleet import Fleet
from sekisho.storage.redis.line import Call
from sekisho.storage.redis.servers import CONNECT_WITHIN_S

PAUSE_S = 0.5


class FanOut:
    """One channel per installation. Made inside a running loop."""

    def __init__(self, fleet: Fleet, prefix: str) -> None:
        self._fleet = fleet
        self._channel = f"{prefix}commits"
        self._me = secrets.token_hex(16)
        self._has_news = False
        self._is_listening = asyncio.Event()
        self._telling: set[asyncio.Task[None]] = set()
        self._listening = asyncio.create_task(self._listen())

    async def start(self) -> None:
        """Wait until the channel is listened to, if it can be: what is committed before that, the caller has yet to
        read."""
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_WITHIN_S):
                await self._is_listening.wait()
            self._has_news = False

    def tell(self) -> None:
        """Tell the others soon; nobody waits for it."""
        task = asyncio.create_task(self._publish())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def take_news(self) -> bool:
        """Whether another node told something since the last call, or may have while nobody listened."""
        has_news, self._has_news = self._has_news, False
        return has_news

    async def close(self) -> None:
        """Stop listening, and let what is being told go out."""
        self._listening.cancel()
        await asyncio.gather(self._listening, *self._telling, return_exceptions=True)

    async def _publish(self) -> None:
        try:
            await self._fleet.run(Call(None, self._channel, verb=("PUBLISH", self._channel, self._me)))
        except StoreUnavailable:
            return

    async def _listen(self) -> None:
        while True:
            try:
                await self._hear()
            except (RedisError, OSError, TimeoutError, StoreUnavailable):
                await asyncio.sleep(PAUSE_S)

    async def _hear(self) -> None:
        connection = await self._fleet.listener()
        try:
            await connection.send_command("SUBSCRIBE", self._channel, check_health=False)
            while True:
                kind, _, said = await connection.read_response(timeout=math.inf)
                # From here on nothing is missed; before, anything may have been.
                self._is_listening.set()
                if kind == b"subscribe" or said != self._me.encode():
                    self._has_news = True
        finally:
            await connection.disconnect(nowait=True)
