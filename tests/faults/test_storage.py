"""FS-08, FS-26: a disk that is full, a kill in a checkpoint, several writers, a damaged file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from faults.disk import Disk, SizeLimit, small_disk
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.load import Load, Told, look, refresh_once
from faults.site import Site, account, port_of, refresh, until
from faults.wire import Answer, Wire, once

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["no space left", "no larger files"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    """The second way is there for machines that do not let us mount; where we may, both are tried."""
    if request.param == "no larger files":
        yield SizeLimit()
        return
    with small_disk(tmp_path) as mounted:
        if mounted is None:
            pytest.skip("this machine does not let us mount a small disk: only the size limit was tried")
        yield mounted


async def test_FS_08_a_full_disk_refuses_writes_and_recovers_without_a_restart(disk: Disk, site: Site) -> None:
    await site.seed(*(account(number) for number in range(8)))
    with site.serving() as server:
        port = port_of(server)
        load = Load(port, 8, refreshes=2, logs_out=False)
        everybody = await load.run()
        disk.fill(server)
        refused = await _refresh_until_refused(load, everybody)
        assert (refused.status, refused.error) == (503, "service_unavailable")
        assert int(refused.headers["retry-after"]) >= 1

        disk.exhaust(server)
        wire = Wire(port)
        for told in everybody * 20:
            await look(wire, told)
            assert told.pair is not None
            assert (await refresh(wire, told.pair.refresh_token)).status in (200, 503)
        for path in ("/healthz", "/readyz", "/.well-known/jwks.json"):
            assert (await wire.call("GET", path)).status == 200, path
        login = await wire.call("POST", "auth/login", {"email": "a@example.com", "password": "x" * 9, "client_id": "w"})
        assert login.status == 503, "without its audit record there is no answer about a password"
        assert server.process.poll() is None

        disk.free(server)
        await everybody_goes_on(port, everybody)
        assert "Traceback" not in server.output()
    the_database_agrees(site, everybody)


async def _refresh_until_refused(load: Load, everybody: list[Told]) -> Answer:
    wire = Wire(load.ports[0])
    for _ in range(2000):
        for told in everybody:
            assert told.pair is not None
            answer = await refresh(wire, told.pair.refresh_token)
            if answer.status != 200:
                told.presented, told.successor = told.pair.refresh_token, ""
                return answer
            told.presented, told.successor = told.pair.refresh_token, answer.json()["refresh_token"]
            told.pair = type(told.pair)(answer.json()["access_token"], told.successor)
    raise AssertionError("the disk never got full")


@pytest.mark.parametrize(
    ("clients", "rounds", "page"),
    [(16, 1, 3), pytest.param(200, 2, 1, marks=pytest.mark.heavy), pytest.param(200, 2, 40, marks=pytest.mark.heavy)],
)
async def test_FS_26_a_kill_in_a_checkpoint_loses_nothing(site: Site, clients: int, rounds: int, page: int) -> None:
    """The few fill no log: their checkpoint is the one of the last connection that closes."""
    await site.seed(*(account(number) for number in range(clients)))
    with site.serving(crash_at=f"checkpoint.write:{page}") as server:
        everybody = await Load(port_of(server), clients).run(rounds)
        server.process.terminate()
        await until(lambda: server.process.poll() is not None, 30, "the crash")
    assert server.process.returncode == -9
    with site.serving() as server:
        await everybody_goes_on(port_of(server), everybody)
    the_database_agrees(site, everybody)


async def test_FS_26_commands_write_while_the_server_does(site: Site) -> None:
    clients = 16
    await site.seed(*(account(number) for number in range(clients)))
    with site.serving() as server:
        load = Load(port_of(server), clients, refreshes=2, logs_out=False)
        everybody = await load.run()
        disabled = everybody[:3]
        commands = (asyncio.to_thread(site.command, "user", "disable", told.email, "--json") for told in disabled)
        others = everybody[3:]
        running = asyncio.gather(*commands)
        wire = Wire(port_of(server))
        while not running.done():
            for told in others:
                await refresh_once(wire, told)
                await asyncio.sleep(0)
        assert [done.returncode for done in await running] == [0] * 3
        for told in disabled:
            assert told.pair is not None
            used = await once(port_of(server), "GET", "auth/session", token=told.pair.access_token)
            assert used.error == "session_revoked"
            assert (await refresh(wire, told.pair.refresh_token)).error == "refresh_token_invalid"
        await everybody_goes_on(port_of(server), others)
    the_database_agrees(site, others)
    assert site.value("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == len(others)


def test_FS_26_the_sqlite_in_use_has_no_known_way_to_lose_its_log() -> None:
    assert tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) >= (3, 51, 3)


async def test_FS_26_a_damaged_file_is_refused_and_left_as_it_is(site: Site) -> None:
    await site.seed(*(account(number) for number in range(300)))
    with site.serving() as server:
        await Load(port_of(server), 2).run()
        server.kill()
    with site.database.open("r+b") as file:
        file.seek(-5 * 4096, 2)
        file.write(b"\xff" * 4 * 4096)
    before = site.database.read_bytes()
    refused = site.command("serve", "--port", str(port_of(server)))
    assert refused.returncode == 1
    assert "damaged" in refused.stderr
    assert "backup" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert site.database.read_bytes() == before
