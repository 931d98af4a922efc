"""Which server answers for a key, and the lines to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    MovedError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.redis.line import Call, Line, Reply
from sekisho.storage.redis.servers import CONNECT_WITHIN_S, Address, Servers, connect, owners_from, primary_of

LOOK_EVERY_S = 1.0
MOST_ROUNDS = 5

# What the server says when it cannot serve now; anything else that it refuses is a mistake of ours.
_NOT_NOW = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS", "BUSY", "READONLY")


class Fleet:
    """Every line of this process to Redis. Made inside a running loop; `start` before the first `run`.

    after_opening: see `Line`; it is awaited for each line.
    """

    def __init__(self, servers: Servers, prefix: str, after_opening: Callable[[Line], Awaitable[None]]) -> None:
        self._servers = servers
        self._prefix = prefix
        self._after_opening = after_opening
        self._lines: dict[Address | None, Line] = {}
        self._owners: list[Address] = []
        self._primary: Address | None = None
        self._is_looking = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the lines. Returns when they are open or have failed for the first time."""
        if self._servers.kind == "cluster":
            with suppress(StoreUnavailable):
                await self._look_for_owners()
        else:
            self._line(None)
        self._watching = asyncio.create_task(self._watch())
        for _ in range(round(CONNECT_WITHIN_S / 0.02)):
            if self._lines and all(line.is_ready for line in self._lines.values()):
                return
            await asyncio.sleep(0.02)

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        for line in [*self._lines.values()]:
            await line.close()

    async def run(self, call: Call) -> Reply:
        """Run on the server that owns the name.

        Raises:
            StoreUnavailable: it cannot be said, or not now; whether it was run may be unknown.
        """
        for _ in range(MOST_ROUNDS):
            line = self._line_for(call.name)
            try:
                return await line.submit(call.words(line))
            except NoScriptError:
                return await self._told(line, call.words(line, by_text=True))
            except MovedError:
                await self._look_for_owners()
            except AskError as asked:
                # While a slot moves: only this once, only there. A session of the other server's run is unknown there.
                other = self._line((asked.host, asked.port))
                await other.submit(("ASKING",))
                return await self._told(other, call.words(other, by_text=True))
            except ReadOnlyError as error:
                line.reopen()
                raise StoreUnavailable("Redis: no longer the primary") from error
            except RedisError as error:
                raise _unavailable(error) from error
        raise StoreUnavailable("Redis: the owner of a slot keeps changing")

    async def run_all(self, calls: Sequence[Call]) -> list[Reply]:
        """Run them as few pipelines; in order where they share a server.

        Raises:
            StoreUnavailable: at least one was not answered.
        """
        return await asyncio.gather(*(self.run(call) for call in calls))

    def time(self) -> float:
        """Seconds of a clock that nobody sets."""
        return asyncio.get_running_loop().time()

    async def listener(self) -> AbstractConnection:
        """Return a new connection of its own, for what does not answer commands."""
        if self._servers.kind != "cluster":
            return await self._connect(None)
        for address in self._known():
            with suppress(RedisError, OSError, TimeoutError):
                return await self._connect(address)
        raise StoreUnavailable("Redis: no node of the Cluster answers")

    def _line_for(self, name: str) -> Line:
        if self._servers.kind != "cluster":
            return self._line(None)
        if not self._owners:
            raise StoreUnavailable("Redis: no node of the Cluster answers")
        return self._line(self._owners[key_slot(name.encode())])

    def _line(self, address: Address | None) -> Line:
        line = self._lines.get(address)
        if line is None:
            line = Line(partial(self._connect, address), self._prefix, self._after_opening)
            self._lines[address] = line
        return line

    async def _told(self, line: Line, words: Any) -> Reply:
        try:
            return await line.submit(words)
        except RedisError as error:
            raise _unavailable(error) from error

    async def _connect(self, address: Address | None) -> AbstractConnection:
        """Connect to an address, or to the primary of one server or Sentinel. Only to a primary."""
        if address is None:
            address = await self._find_primary()
        return await connect(self._servers, address)

    async def _find_primary(self) -> Address:
        if self._servers.kind == "single":
            return self._servers.nodes[0]
        self._primary = await primary_of(self._servers)
        return self._primary

    async def _watch(self) -> None:
        """Notice a failover that breaks no connection, and owners that changed while nothing was asked."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            with suppress(StoreUnavailable, RedisError, OSError, TimeoutError):
                if self._servers.kind == "sentinel":
                    before = self._primary
                    if before is not None and await self._find_primary() != before:
                        self._line(None).reopen()
                elif self._servers.kind == "cluster" and not all(line.is_ready for line in self._lines.values()):
                    await self._look_for_owners()
            await asyncio.gather(*(line.check_identity() for line in [*self._lines.values()]))

    async def _look_for_owners(self) -> None:
        """Ask any node who owns which slot; lines to nodes that own nothing any more are closed."""
        if self._is_looking.locked():
            async with self._is_looking:
                return
        async with self._is_looking:
            for address in self._known():
                try:
                    owners = await owners_from(self._servers, address)
                except (RedisError, OSError, TimeoutError):
                    continue
                self._owners = owners
                for gone in [known for known in self._lines if known not in set(owners)]:
                    await self._lines.pop(gone).close()
                for owner in set(owners):
                    self._line(owner)
                return
        raise StoreUnavailable("Redis: no node of the Cluster answers")

    def _known(self) -> list[Address]:
        return [*dict.fromkeys([*self._owners, *self._servers.nodes])]


def _unavailable(error: RedisError) -> Exception:
    """What the server cannot do now is an outage; a command that it does not understand is our mistake."""
    text = str(error)
    is_ours = isinstance(error, ResponseError) and not (
        text.startswith(_NOT_NOW) or type(error) is not ResponseError or text.startswith(("NOAUTH", "NOPERM"))
    )
    return RuntimeError(f"Redis: {text}") if is_ours else StoreUnavailable(f"Redis: {type(error).__name__}: {text}")
