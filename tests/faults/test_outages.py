"""FS-05, FS-06, FS-25: PostgreSQL or Redis is killed, stopped, wiped or replaced by what lags behind, while two
nodes serve: what cannot be decided is told to come again, all recovers by itself, nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from faults.cut_proxy import cut_proxy_apart, through
from faults.engines import Postgres, PostgresAndRedis, durable_server, new_engine
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import is_refused, living, used
from faults.load import CLIENT
from faults.site import PASSWORD, Site, account, ports_of, refresh, sign_in, until
from faults.wire import Wire, once
from free_ports import free_port
from live_server import LiveServer
from postgres_server import PostgresServer
from storage.redis_server import BINARY, RedisServer

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

CLIENTS = 10
ONLY_REDIS = pytest.mark.parametrize("engine", ["redis"], indirect=True)


@pytest.fixture
def durable_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """A site whose PostgreSQL waits for the disk and is nobody else's."""
    engine = new_engine(request.param, tmp_path, durable_server())
    yield Site(tmp_path, engine, SEKISHO_DATABASE_TIMEOUT_MS="2000")
    engine.remove()


async def while_alive(servers: list[LiveServer], path: str, wanted: int, within_s: float = 30) -> None:
    deadline = time.monotonic() + within_s
    for server in servers:
        while (answer := await once(ports_of([server])[0], "GET", path)).status != wanted:
            assert time.monotonic() < deadline, (path, answer.status)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("durable_site", ["postgres", "redis"], indirect=True)
async def test_FS_06_postgresql_killed_and_restarted_under_load_loses_nothing_acknowledged(durable_site: Site) -> None:
    site, server = durable_site, durable_site.engine
    assert isinstance(server, Postgres)
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.nodes() as servers:
        async with living(servers, CLIENTS) as everybody:
            server.server.kill()
            before = everybody.refusals()
            await while_alive(servers, "/healthz", 200)
            await while_alive(servers, "/readyz", 503)
            login = {"email": "canary-0@example.com", "password": PASSWORD, "client_id": CLIENT}
            for port in ports_of(servers):
                refused = await once(port, "POST", "auth/login", login)
                assert (refused.status, refused.error) == (503, "service_unavailable")
                assert int(refused.headers["retry-after"]) >= 1
            await until(lambda: everybody.refusals() > before, 30, "refusals")
            await asyncio.to_thread(server.server.start)
            await everybody.all_go_on(60, "recovery from the kill")
            await while_alive(servers, "/readyz", 200)

            await asyncio.to_thread(server.server.stop)
            await asyncio.to_thread(server.server.start)
            await everybody.all_go_on(60, "recovery from the restart")
        assert all(each.process.poll() is None for each in servers)
        assert not any("Traceback" in each.output() for each in servers)
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@pytest.mark.parametrize("durable_site", ["postgres", "redis"], indirect=True)
async def test_FS_06_FS_25_a_standby_is_never_read_and_takes_over_without_a_loss(durable_site: Site) -> None:
    """The nodes reach PostgreSQL by an address that is moved. First too early: the standby only reads, and what it says
    may be old. Then it is promoted."""
    site, engine = durable_site, durable_site.engine
    assert isinstance(engine, Postgres)
    await site.seed(*(account(number) for number in range(CLIENTS)))
    standby = PostgresServer(durable=True, standby_of=engine.server)
    standby.start()
    try:
        # From here on a commit is acknowledged when the standby has it on its disk, too.
        engine.server.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        engine.server.sql("SELECT pg_reload_conf()")
        with cut_proxy_apart(engine.server.port) as address:
            moved = through(engine.server.url("postgres"), address.port)
            with site.nodes(SEKISHO_DATABASE_URL=moved) as servers:
                async with living(servers, CLIENTS) as everybody:
                    address.upstream = standby.port
                    engine.server.kill()
                    await while_alive(servers, "/readyz", 503)
                    assert standby.sql("SELECT count(*) FROM sessions") != "0\n", "it could be read"
                    wire = Wire(ports_of(servers)[0])
                    held = next(told.pair for told in everybody.everybody if told.pair)
                    if engine.name == "postgres":
                        # Redis would go on deciding refreshes.
                        refused = await refresh(wire, held.refresh_token, CLIENT)
                        assert (refused.status, refused.error) == (503, "service_unavailable")
                    assert (await used(wire, held)).status == 503
                    await wire.close()

                    standby.run("pg_ctl", "promote", "-D", standby.data, "-w")
                    await while_alive(servers, "/readyz", 200)
                    await everybody.all_go_on(60, "recovery at the standby")
                assert not any("Traceback" in each.output() for each in servers)
                await everybody_goes_on(ports_of(servers), everybody.everybody)
        engine.target = msgspec.structs.replace(engine.target, url=standby.url("postgres"))
        the_database_agrees(site, everybody.everybody)
    finally:
        standby.remove()


@ONLY_REDIS
async def test_FS_05_redis_away_under_load_refuses_what_it_cannot_decide_and_ends_hold(site: Site) -> None:
    redis = _redis(site)
    await site.seed(*(account(number) for number in range(CLIENTS + 1)))
    with site.nodes() as servers:
        one, two = (Wire(port) for port in ports_of(servers))
        mine = await sign_in(one, CLIENTS)
        for wire in (one, two):
            assert (await used(wire, mine)).status == 200
        async with living(servers, CLIENTS) as everybody:
            redis.kill()
            before = everybody.refusals()
            await until(lambda: everybody.refusals() >= before + 2 * CLIENTS, 30, "refusals")
            undecided = await refresh(two, mine.refresh_token)
            assert (undecided.status, undecided.error) == (503, "service_unavailable")
            # An end needs no Redis, on either node.
            out = {"refresh_token": mine.refresh_token, "client_id": CLIENT}
            assert (await one.call("POST", "auth/logout", out)).status == 200
            await is_refused(two, mine, within_s=1)
            await while_alive(servers, "/readyz", 200)
            await asyncio.to_thread(redis.start)
            await everybody.all_go_on(60, "recovery")
        for wire in (one, two):
            assert (await refresh(wire, mine.refresh_token)).error == "refresh_token_invalid"
            await wire.close()
        assert not any("Traceback" in each.output() for each in servers)
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@ONLY_REDIS
async def test_FS_05_redis_wiped_again_and_again_logs_nobody_out_and_brings_nothing_back(site: Site) -> None:
    redis = _redis(site)
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.nodes() as servers:
        async with living(servers, CLIENTS) as everybody:
            for _ in range(5):
                redis.say("FLUSHALL")
                await everybody.all_go_on(60, "a wipe")
        ended = sum(len(told.ended) for told in everybody.everybody)
        assert ended > 0
        redis.say("FLUSHALL")
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@ONLY_REDIS
async def test_FS_25_a_failover_to_a_replica_that_lags_logs_nobody_out_and_brings_nothing_back(
    site: Site, tmp_path: Path
) -> None:
    """The primary goes on confirming what its replica never hears of, and dies."""
    primary = _redis(site)
    replica = RedisServer(tmp_path / "replica", "--replicaof", "127.0.0.1", str(primary.port))
    with site_watched(site, primary, replica.start(), tmp_path):
        await site.seed(*(account(number) for number in range(CLIENTS)))
        await until(lambda: b"master_link_status:up" in replica.say("INFO", "replication"), 60, "the copy")
        with site.nodes() as servers:
            async with living(servers, CLIENTS) as everybody:
                primary.say("CLIENT", "KILL", "TYPE", "replica")
                primary.say("CONFIG", "SET", "requirepass", "nobody-follows")
                await everybody.all_go_on(60, "rotations that the replica does not hear of")
                primary.kill()
                await until(lambda: b"role:master" in replica.say("INFO", "replication"), 60, "the promotion")
                await everybody.all_go_on(60, "recovery")
            await everybody_goes_on(ports_of(servers), everybody.everybody)
        the_database_agrees(site, everybody.everybody)


@contextmanager
def site_watched(site: Site, primary: RedisServer, replica: RedisServer, folder: Path) -> Iterator[None]:
    """Lead the site to Redis by a sentinel, which gives a primary up after three seconds."""
    port = free_port()
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary.port} 1\n"
        "sentinel down-after-milliseconds main 3000\nsentinel failover-timeout main 5000\n"
    )
    assert BINARY is not None
    process = subprocess.Popen([BINARY, str(config), "--sentinel"], stdout=subprocess.DEVNULL)
    sentinel = RedisServer(folder / "sentinel", port=port)
    deadline = time.monotonic() + 60
    try:
        while not _knows_the_replica(sentinel):
            assert time.monotonic() < deadline, "the sentinel does not see the replica"
            time.sleep(0.05)
        site.environ["SEKISHO_REDIS_URL"] = f"redis+sentinel://127.0.0.1:{port}/main"
        yield
    finally:
        process.kill()
        process.wait()
        replica.stop()


def _knows_the_replica(sentinel: RedisServer) -> bool:
    try:
        return b"num-slaves\r\n$1\r\n1" in sentinel.say("SENTINEL", "MASTER", "main")
    except OSError:
        return False


def _redis(site: Site) -> RedisServer:
    assert isinstance(site.engine, PostgresAndRedis)
    return site.engine.redis
