"""Which server answers for a key: one server, the primary that Sentinel names, or the primary of a Cluster's slot."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.sentinel import Sentinel
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    AuthenticationError,
    AuthorizationError,
    MovedError,
    NoPermissionError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from sekisho.model import Discreet
from sekisho.ports.storage import StoreUnavailable
from sekisho.storage.redis.errors import (
    RedisCannotBeUsed,
    RedisEvicts,
    RedisIsACluster,
    RedisNotAMaster,
    RedisNotDurable,
    RedisNotThere,
    RedisNotTrusted,
    RedisRefusesUs,
    RedisTooOld,
)
from sekisho.storage.redis.line import Call, Line, Reply, facts_from

Address: TypeAlias = tuple[str, int]

CONNECT_WITHIN_S = 2.0
LOOK_EVERY_S = 1.0
MOST_ROUNDS = 5
SLOTS = 16_384
OLDEST = (6, 2)

# What the server says when it cannot serve now; anything else that it refuses is a mistake of ours.
_NOT_NOW = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "OOM", "MISCONF", "NOREPLICAS", "BUSY", "READONLY")


class Servers(Discreet, frozen=True, kw_only=True):
    """Where they are and how to get in. `nodes` are the server, the sentinels, or some nodes of the Cluster."""

    kind: Literal["single", "sentinel", "cluster"]
    nodes: tuple[Address, ...]
    primary: str = ""
    user: str = ""
    password: str = ""
    sentinel_user: str = ""
    sentinel_password: str = ""
    database: int = 0
    is_encrypted: bool = False
    authority_file: str = ""

    def place(self) -> str:
        """Name them in a sentence, without what is secret."""
        where = ", ".join(f"{host}:{port}" for host, port in self.nodes)
        return f"{self.primary} ({where})" if self.primary else where


class Found(Struct, frozen=True):
    """What one server says of itself, for checks and `doctor`."""

    place: str
    version: str
    policy: str
    is_durable: bool


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
                    owners = await _owners_from(self._servers, address)
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


async def connect(servers: Servers, address: Address) -> AbstractConnection:
    """Return an open connection of the library: authenticated, encrypted, in the right database."""
    given: dict[str, Any] = {
        "host": address[0],
        "port": address[1],
        "username": servers.user or None,
        "password": servers.password or None,
        "db": servers.database,
        "socket_connect_timeout": CONNECT_WITHIN_S,
        # One time limit stands around each pipeline instead of one around each answer.
        "socket_timeout": None,
        "protocol": 2,
    }
    connection = SSLConnection(**given, **_tls(servers)) if servers.is_encrypted else Connection(**given)
    async with asyncio.timeout(CONNECT_WITHIN_S):
        await connection.connect()  # type: ignore[no-untyped-call]
    return connection


async def primary_of(servers: Servers) -> Address:
    """Return the address of the primary that the sentinels name. Raises `RedisError` if none of them names one."""
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        servers.nodes,
        username=servers.sentinel_user or None,
        password=servers.sentinel_password or None,
        socket_timeout=CONNECT_WITHIN_S,
        socket_connect_timeout=CONNECT_WITHIN_S,
        protocol=2,
        **({"ssl": True, **_tls(servers)} if servers.is_encrypted else {}),
    )
    try:
        async with asyncio.timeout(2 * CONNECT_WITHIN_S):
            host, port = await sentinel.discover_master(servers.primary)
    finally:
        for each in sentinel.sentinels:
            await each.aclose()
    return host, int(port)


async def examine(servers: Servers, *, keeps_sessions: bool) -> list[Found]:
    """Look at every server that would be used.

    Raises:
        RedisCannotBeUsed: one of its kinds, for the first server that cannot.
    """
    try:
        addresses = await _addresses(servers)
    except (RedisError, OSError, TimeoutError) as error:
        raise _refusal(servers.place(), error) from error
    return [await _examine_one(servers, address, keeps_sessions=keeps_sessions) for address in addresses]


async def _addresses(servers: Servers) -> list[Address]:
    if servers.kind == "single":
        return [servers.nodes[0]]
    if servers.kind == "sentinel":
        return [await primary_of(servers)]
    problem: Exception | None = None
    for address in servers.nodes:
        try:
            return [*dict.fromkeys(await _owners_from(servers, address))]
        except (RedisError, OSError, TimeoutError) as error:
            problem = error
    assert problem is not None
    raise problem


async def _examine_one(servers: Servers, address: Address, *, keeps_sessions: bool) -> Found:
    place = f"{address[0]}:{address[1]}"
    try:
        facts = facts_from(await _ask(servers, address, "INFO"))
    except (RedisError, OSError, TimeoutError) as error:
        raise _refusal(place, error) from error
    version = facts.get("redis_version", "0")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise RedisTooOld(place, version)
    if facts.get("role") != "master":
        raise RedisNotAMaster(place, facts.get("role", "?"))
    is_cluster = facts.get("cluster_enabled") == "1"
    if is_cluster is not (servers.kind == "cluster"):
        raise RedisIsACluster(place, "part of a Cluster" if is_cluster else "no part of a Cluster")
    found = Found(
        place,
        f"Valkey {facts['valkey_version']}" if "valkey_version" in facts else f"Redis {version}",
        facts.get("maxmemory_policy", "?"),
        facts.get("aof_enabled") == "1",
    )
    if keeps_sessions and found.policy != "noeviction":
        raise RedisEvicts(place, found.policy)
    if keeps_sessions and not found.is_durable:
        raise RedisNotDurable(place, "no")
    return found


async def _ask(servers: Servers, address: Address, *words: str) -> Any:
    connection = await connect(servers, address)
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await connection.send_command(*words, check_health=False)
            return await connection.read_response()
    finally:
        await connection.disconnect(nowait=True)


async def _owners_from(servers: Servers, address: Address) -> list[Address]:
    owners: list[Address | None] = [None] * SLOTS
    for first, last, primary, *_ in await _ask(servers, address, "CLUSTER", "SLOTS"):
        # A node that does not know its own name leaves it to whoever reached it.
        host = primary[0].decode() or address[0]
        owners[first : last + 1] = [(host, primary[1])] * (last + 1 - first)
    found = [owner for owner in owners if owner is not None]
    if len(found) < SLOTS:
        raise ResponseError("CLUSTERDOWN not every slot has an owner")
    return found


def _tls(servers: Servers) -> dict[str, Any]:
    """The library checks certificate and name unless told otherwise, and nobody tells it."""
    return {"ssl_ca_certs": servers.authority_file or None}


def _refusal(place: str, error: BaseException) -> RedisCannotBeUsed:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    # The library tells a failed handshake as any other failure to connect; what it was stands behind it.
    if isinstance(error.__context__, ssl.SSLError):
        return RedisNotTrusted(place, text)
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError) or text.startswith(
        ("NOAUTH", "WRONGPASS")
    ):
        return RedisRefusesUs(place, text)
    if "cluster support disabled" in text:
        return RedisIsACluster(place, "no part of a Cluster")
    return RedisNotThere(place, text)


def _unavailable(error: RedisError) -> Exception:
    """What the server cannot do now is an outage; a command that it does not understand is our mistake."""
    text = str(error)
    is_ours = isinstance(error, ResponseError) and not (
        text.startswith(_NOT_NOW) or type(error) is not ResponseError or text.startswith(("NOAUTH", "NOPERM"))
    )
    return RuntimeError(f"Redis: {text}") if is_ours else StoreUnavailable(f"Redis: {type(error).__name__}: {text}")
