"""One connection to one server. Whatever gathers in a turn of the loop, or while answers are awaited, is one pipeline.

A command alone costs several times what it costs in company: packing, system calls and wake-ups are paid once for all.
A line that is lost opens itself again, and fails at once what is asked of it meanwhile: nobody hangs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import structlog
from msgspec import Struct
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.redis import scripts
from sekisho.storage.redis.scripts import Script

log = structlog.get_logger("sekisho.redis")

Word: TypeAlias = str | bytes | int
Reply: TypeAlias = Any
Connect: TypeAlias = Callable[[], Awaitable[AbstractConnection]]

MOST_COMMANDS = 256
ANSWER_WITHIN_S = 2.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0


class Call(Struct, frozen=True):
    """One run of a script, or a plain command if there is none.

    name: what the keys are about; one name is one slot of a Cluster.
    ends: what follows the name in each key. With `is_bound`, the keys are those of this run of this server: after a
        restart or failover nobody reads them again.
    """

    script: Script | None
    name: str
    ends: tuple[str, ...] = ("",)
    args: tuple[Word, ...] = ()
    is_bound: bool = True
    verb: tuple[Word, ...] = ()

    def words(self, line: Line, *, by_text: bool = False) -> list[Word]:
        """Return the command as it goes over the line."""
        if self.script is None:
            return [*self.verb]
        prefix = line.bound_prefix if self.is_bound else line.prefix
        keys = [f"{prefix}{{{self.name}}}{end}" for end in self.ends]
        how = ("EVAL", self.script.text) if by_text else ("EVALSHA", line.name_of(self.script))
        return [*how, len(keys), *keys, *self.args]


class Line:
    """Made by `Fleet`. `prefix` stands before every key; `bound_prefix` also names the run of the server.

    after_opening: awaited each time before anything else is sent; may use `exchange`. Raising closes the line again.
    """

    def __init__(self, connect: Connect, prefix: str, after_opening: Callable[[Line], Awaitable[None]]) -> None:
        self.prefix = prefix
        self.identity = ""
        self._connect = connect
        self._after_opening = after_opening
        self._connection: AbstractConnection | None = None
        self._gathered: deque[tuple[Sequence[Word], asyncio.Future[Reply]]] = deque()
        self._names: dict[Script, bytes] = {}
        self._wake = asyncio.Event()
        self._is_ready = False
        self._task = asyncio.create_task(self._keep_open())

    @property
    def bound_prefix(self) -> str:
        return f"{self.prefix}{self.identity}:"

    def name_of(self, script: Script) -> bytes:
        """Return the name that this server gave the script.

        Raises:
            StoreUnavailable: the line has not been open yet, as one to a node that has just been found.
        """
        name = self._names.get(script)
        if name is None:
            raise StoreUnavailable("Redis: not connected")
        return name

    @property
    def is_ready(self) -> bool:
        return self._is_ready

    def submit(self, words: Sequence[Word]) -> asyncio.Future[Reply]:
        """Send with the next pipeline.

        Raises:
            StoreUnavailable: the line is not open.
            RedisError: (from the future) what the server answered.
        """
        if not self._is_ready:
            raise StoreUnavailable("Redis: not connected")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._gathered.append((words, future))
        self._wake.set()
        return future

    async def exchange(self, commands: Sequence[Sequence[Word]]) -> list[Reply]:
        """Send these now and return the answers in order; what the server refuses is returned, not raised."""
        connection = self._connection
        assert connection is not None
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            return [await self._answer(connection) for _ in commands]

    async def check_identity(self) -> None:
        """Open the line anew if the server is no longer the one that it was: promoted, demoted or replaced."""
        if not self._is_ready:
            return
        with suppress(StoreUnavailable, RedisError):
            if identity_from(await self.submit(("INFO",))) != self.identity:
                self.reopen()

    def reopen(self) -> None:
        """Let go of the connection; the next one asks who is there."""
        self._is_ready = False
        if self._connection is not None and self._connection._writer is not None:
            self._connection._writer.close()
        self._wake.set()

    async def close(self) -> None:
        """Stop, and fail whatever still waits."""
        self._is_ready = False
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._let_go()

    async def _keep_open(self) -> None:
        pause, is_told = FIRST_PAUSE_S, False
        while True:
            try:
                await self._open()
                if is_told:
                    log.info("redis_is_back")
                pause, is_told = FIRST_PAUSE_S, False
                await self._serve()
            except (RedisError, OSError, TimeoutError, StoreUnavailable) as error:
                if not is_told:
                    log.warning("redis_lost", error=f"{type(error).__name__}: {error}")
                is_told = True
            await self._let_go()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _open(self) -> None:
        self._connection = await self._connect()
        loads = [("SCRIPT", "LOAD", script.text) for script in scripts.ALL]
        info, *loaded = await self.exchange([("INFO",), *loads])
        for reply in (info, *loaded):
            if isinstance(reply, RedisError):
                raise reply
        self.identity = identity_from(info)
        self._names = dict(zip(scripts.ALL, loaded, strict=True))
        await self._after_opening(self)
        self._is_ready = True

    async def _serve(self) -> None:
        while self._is_ready:
            await self._wake.wait()
            self._wake.clear()
            while self._gathered and self._is_ready:
                batch = [self._gathered.popleft() for _ in range(min(MOST_COMMANDS, len(self._gathered)))]
                try:
                    replies = await self.exchange([words for words, _ in batch])
                except BaseException:
                    # Whether they were run is not known.
                    self._gathered.extendleft(reversed(batch))
                    raise
                for (_, future), reply in zip(batch, replies, strict=True):
                    if future.done():
                        continue
                    if isinstance(reply, RedisError):
                        future.set_exception(reply)
                    else:
                        future.set_result(reply)

    async def _answer(self, connection: AbstractConnection) -> Reply:
        try:
            return await connection.read_response()
        except RedisError as error:
            if not connection.is_connected:
                raise
            return error

    async def _let_go(self) -> None:
        self._is_ready = False
        while self._gathered:
            _, future = self._gathered.popleft()
            if not future.done():
                future.set_exception(StoreUnavailable("Redis: connection lost"))
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


def facts_from(info: bytes) -> dict[str, str]:
    """Read the answer to INFO."""
    lines = (line.partition(":") for line in info.decode(errors="replace").splitlines())
    return {name: value for name, colon, value in lines if colon}


def identity_from(info: bytes) -> str:
    """Name one run of one server as a primary: another after each restart and after each promotion.

    A promotion leaves its mark in the second replication id, also where the process was a primary before.
    """
    facts = facts_from(info)
    parts = (facts["role"], facts["run_id"][:16], facts["master_replid2"][:8], facts["second_repl_offset"])
    return ".".join(parts)
