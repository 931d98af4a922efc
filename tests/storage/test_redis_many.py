"""Sentinel and Cluster, with real servers: three with three sentinels, and six nodes."""

from __future__ import annotations

import asyncio
import subprocess
import time
from asyncio import gather
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from free_ports import free_port
from sekisho.model import Session
from sekisho.ports.storage import Ended, Repeated, Rotated, Store, StoreUnavailable
from sekisho.storage.redis.servers import Servers
from sekisho.storage.redis.store import RedisStore
from storage.build import done, end, rotate, signed_in
from storage.contract_rotation import verdict
from storage.fast import new_store
from storage.redis_server import BINARY, RedisServer, needs_redis

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

HOST = "127.0.0.1"


async def recovered(store: Store, of: Session, counter: int, within_s: float = 60) -> Rotated | Repeated:
    """Ask again until it can be decided, as a client does that got a 503."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            found = await verdict(store, rotate(of, counter))
            assert isinstance(found, Rotated | Repeated), found
            return found
        except StoreUnavailable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)


async def opened(folder: Path, servers: Servers) -> RedisStore:
    return await RedisStore.open(await new_store(folder), servers, keeps_sessions=True)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[list[RedisServer], list[int]]]:
    """A primary, two replicas, and three sentinels that give it up after three seconds."""
    needs_redis()
    assert BINARY is not None
    primary = RedisServer(tmp_path / "0").start()
    replicas = [RedisServer(tmp_path / str(i), "--replicaof", f"{HOST} {primary.port}").start() for i in (1, 2)]
    ports, sentinels = [free_port() for _ in range(3)], []
    try:
        for port in ports:
            config = tmp_path / f"sentinel-{port}.conf"
            config.write_text(
                f"port {port}\nbind {HOST}\nsentinel monitor main {HOST} {primary.port} 2\n"
                "sentinel down-after-milliseconds main 3000\nsentinel failover-timeout main 5000\n"
            )
            sentinels.append(subprocess.Popen([BINARY, str(config), "--sentinel"], stdout=subprocess.DEVNULL))
        for port in ports:
            sentinel = RedisServer(tmp_path / "look", port=port)
            deadline = time.monotonic() + 60
            while not _sees_everybody(sentinel):
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield [primary, *replicas], ports
    finally:
        for process in sentinels:
            process.kill()
            process.wait()
        for server in (primary, *replicas):
            server.stop()


def _sees_everybody(sentinel: RedisServer) -> bool:
    try:
        said = sentinel.say("SENTINEL", "MASTER", "main").replace(b"\r\n", b" ")
    except OSError:
        return False
    return b"num-slaves $1 2" in said and b"num-other-sentinels $1 2" in said


async def test_a_failover_to_a_replica_that_lags_brings_nobody_back_and_puts_nobody_out(
    tmp_path: Path, watched: tuple[list[RedisServer], list[int]]
) -> None:
    servers, ports = watched
    store = await opened(
        tmp_path, Servers(kind="sentinel", nodes=tuple((HOST, port) for port in ports), primary="main")
    )
    try:
        _, stays = await signed_in(store)
        _, goes = await signed_in(store)
        await verdict(store, rotate(stays))
        await verdict(store, rotate(goes))
        await asyncio.sleep(0.3)
        # From here on the replicas hear nothing: what comes is lost with the primary.
        servers[0].say("CLIENT", "KILL", "TYPE", "replica")
        servers[0].say("CONFIG", "SET", "requirepass", "nobody-follows")
        await verdict(store, rotate(stays, 1))
        await done(store, end(goes))
        servers[0].kill()

        found = await recovered(store, stays, 2)
        assert found.session.counter == 3
        assert await verdict(store, rotate(goes, 1)) == Ended("session ended: logout")
    finally:
        await store.close()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Three primaries, each with a replica."""
    needs_redis()
    words = ("--cluster-enabled", "yes", "--cluster-node-timeout", "3000", "--repl-diskless-sync-delay", "0")
    nodes = [RedisServer(tmp_path / f"node-{number}", *words) for number in range(6)]
    try:
        for node in nodes:
            node.start()
        command = ["redis-cli", "--cluster", "create", *(f"{HOST}:{node.port}" for node in nodes)]
        subprocess.run([*command, "--cluster-replicas", "1", "--cluster-yes"], check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not all(_is_settled(node) for node in nodes):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield nodes
    finally:
        for node in nodes:
            node.stop()


def _is_settled(node: RedisServer) -> bool:
    """A replica that has not copied yet cannot take over."""
    roles = node.say("INFO", "replication")
    is_whole = b"role:master" in roles or b"master_link_status:up" in roles
    return is_whole and b"cluster_state:ok" in node.say("CLUSTER", "INFO")


@pytest.fixture
async def spread(tmp_path: Path, cluster: list[RedisServer]) -> AsyncIterator[RedisStore]:
    store = await opened(tmp_path, Servers(kind="cluster", nodes=tuple((HOST, node.port) for node in cluster)))
    yield store
    await store.close()


async def test_sessions_spread_over_a_cluster_and_survive_the_death_of_a_node(
    spread: RedisStore, cluster: list[RedisServer]
) -> None:
    people = [(await signed_in(spread))[1] for _ in range(30)]
    assert all(isinstance(one, Rotated) for one in await gather(*(verdict(spread, rotate(each)) for each in people)))
    assert len(spread._fleet._lines) == 3
    await done(spread, end(people[0]))
    cluster[0].kill()
    found = await gather(*(recovered(spread, each, 1) for each in people[1:]))
    assert {one.session.counter for one in found} == {2}
    assert await verdict(spread, rotate(people[0], 1)) == Ended("session ended: logout")
