"""Where Redis is, and how to get at it: one server, the primary that Sentinel names, or the nodes of a Cluster."""

from __future__ import annotations

import asyncio
from typing import Any, Literal, TypeAlias

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection
from redis.asyncio.sentinel import Sentinel
from redis.exceptions import ResponseError

from sekisho.model import Discreet

Address: TypeAlias = tuple[str, int]

CONNECT_WITHIN_S = 2.0
SLOTS = 16_384


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


async def ask(servers: Servers, address: Address, *words: str) -> Any:
    """Return what the server at an address answers to one command, on a connection that is closed afterwards."""
    connection = await connect(servers, address)
    try:
        async with asyncio.timeout(CONNECT_WITHIN_S):
            await connection.send_command(*words, check_health=False)
            return await connection.read_response()
    finally:
        await connection.disconnect(nowait=True)


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


async def owners_from(servers: Servers, address: Address) -> list[Address]:
    """Return the owner of each slot, as a node of the Cluster says. Raises `ResponseError` if a slot has none."""
    owners: list[Address | None] = [None] * SLOTS
    for first, last, primary, *_ in await ask(servers, address, "CLUSTER", "SLOTS"):
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
