"""Whether the servers can be used: what each says of itself, and a refusal that says what to change."""

from __future__ import annotations

import ssl

from msgspec import Struct
from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError

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
from sekisho.storage.redis.line import facts_from
from sekisho.storage.redis.servers import Address, Servers, ask, owners_from, primary_of

OLDEST = (6, 2)


class Found(Struct, frozen=True):
    """What one server says of itself, for checks and `doctor`."""

    place: str
    version: str
    policy: str
    is_durable: bool


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
            return [*dict.fromkeys(await owners_from(servers, address))]
        except (RedisError, OSError, TimeoutError) as error:
            problem = error
    assert problem is not None
    raise problem


async def _examine_one(servers: Servers, address: Address, *, keeps_sessions: bool) -> Found:
    place = f"{address[0]}:{address[1]}"
    try:
        facts = facts_from(await ask(servers, address, "INFO"))
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
