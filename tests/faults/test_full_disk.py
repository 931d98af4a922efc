"""FS-08 on PostgreSQL: its disk fills while two nodes serve. What cannot be kept is refused, what was answered stays,
and all recovers by itself once there is space."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.disk import SmallDisk, small_disk
from faults.engines import durable_server, new_engine
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import Living, living
from faults.load import CLIENT
from faults.site import PASSWORD, Site, account, ports_of, until
from faults.wire import once
from live_server import LiveServer
from postgres_server import PostgresServer

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

CLIENTS = 8
MB = 1024 * 1024
BOTH = ("postgres", "redis")


@dataclass
class Filled:
    """A site whose PostgreSQL keeps its tables, or its log of changes, on a small disk."""

    site: Site
    server: PostgresServer
    disk: SmallDisk


@contextmanager
def _mounted(size: int) -> Iterator[tuple[Path, SmallDisk]]:
    folder = Path(tempfile.mkdtemp(prefix="sekisho-disk-"))
    folder.chmod(0o755)
    try:
        with small_disk(folder, size) as disk:
            if disk is None:
                pytest.skip("this machine does not let us mount a small disk for PostgreSQL")
            yield folder, disk
    finally:
        shutil.rmtree(folder)


@contextmanager
def _site(engine: str, folder: Path, server: PostgresServer) -> Iterator[Site]:
    made = new_engine(engine, folder, server)
    try:
        yield Site(folder, made, SEKISHO_DATABASE_TIMEOUT_MS="2000")
    finally:
        made.remove()


@pytest.fixture
def small_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filled]:
    with _mounted(16 * MB) as (folder, disk):
        server = durable_server()
        try:
            server.sql(f"CREATE TABLESPACE small LOCATION '{server.give(folder)}'")
            server.sql("ALTER DATABASE postgres SET default_tablespace = small")
            with _site(request.param, tmp_path, server) as site:
                yield Filled(site, server, disk)
        finally:
            server.remove()


@pytest.fixture
def small_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Filled]:
    with _mounted(48 * MB) as (folder, disk):
        server = durable_server(log_in=folder)
        try:
            # What fills such disks in life: the place of a standby that has gone keeps all of the log.
            server.sql("SELECT pg_create_physical_replication_slot('gone', true)")
            with _site(request.param, tmp_path, server) as site:
                yield Filled(site, server, disk)
        finally:
            server.remove()


async def _all_sign_ins_are_refused(servers: list[LiveServer], within_s: float) -> None:
    """The last kilobytes let one through now and then."""
    body = {"email": "canary-0@example.com", "password": PASSWORD, "client_id": CLIENT}
    async with asyncio.timeout(within_s):
        in_a_row = 0
        while in_a_row < 3:
            answers = [await once(port, "POST", "auth/login", body) for port in ports_of(servers)]
            for answer in answers:
                assert answer.status in (200, 503), answer.body
                if answer.status == 503:
                    assert answer.error == "service_unavailable"
                    assert int(answer.headers["retry-after"]) >= 1
            in_a_row = in_a_row + 1 if all(answer.status == 503 for answer in answers) else 0


def _write_until_it_panics(server: PostgresServer) -> None:
    """Another program writes on the same server, faster than our people do."""
    for _ in range(200):
        with suppress(AssertionError):
            server.sql("SELECT pg_logical_emit_message(true, 'another', repeat('x', 250000))")
        if "PANIC" in server.log():
            return
    raise AssertionError("the log never filled its disk")


async def _recovers(filled: Filled, servers: list[LiveServer], everybody: Living) -> None:
    await everybody.all_go_on(60, "recovery once there is space")
    for port in ports_of(servers):
        assert (await once(port, "GET", "/readyz")).status == 200
    assert all(each.process.poll() is None for each in servers)
    assert not any("Traceback" in each.output() for each in servers)


@pytest.mark.parametrize("small_tables", BOTH, indirect=True)
async def test_FS_08_a_full_disk_under_the_tables_refuses_writes_and_loses_nothing(small_tables: Filled) -> None:
    """PostgreSQL goes on reading and refuses single statements: no process ends, none is started again."""
    site, server, disk = small_tables.site, small_tables.server, small_tables.disk
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.nodes() as servers:
        async with living(servers, CLIENTS) as everybody:
            disk.exhaust()
            await _all_sign_ins_are_refused(servers, within_s=60)
            for port in ports_of(servers):
                for path in ("/healthz", "/readyz", "/.well-known/jwks.json"):
                    assert (await once(port, "GET", path)).status == 200, path
            assert everybody.refusals() > 0
            disk.free()
            await _recovers(small_tables, servers, everybody)
        assert "No space left on device" in server.log()
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@pytest.mark.parametrize("small_log", BOTH, indirect=True)
async def test_FS_08_a_full_disk_under_the_log_stops_postgresql_and_loses_nothing(small_log: Filled) -> None:
    """Without its log PostgreSQL cannot keep anything: it panics, tries to recover, and ends until it is started again
    on a disk with space."""
    site, server, disk = small_log.site, small_log.server, small_log.disk
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.nodes() as servers:
        async with living(servers, CLIENTS) as everybody:
            disk.exhaust()
            await asyncio.to_thread(_write_until_it_panics, server)
            await _all_sign_ins_are_refused(servers, within_s=60)
            for port in ports_of(servers):
                assert (await once(port, "GET", "/healthz")).status == 200
            await until(lambda: everybody.refusals() > 0, 30, "refusals")
            disk.free()
            if not server.is_alive:
                await asyncio.to_thread(server.start)
            await _recovers(small_log, servers, everybody)
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)
