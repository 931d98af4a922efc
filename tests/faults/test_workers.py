"""`sekisho serve --workers 2`: a worker that dies costs nobody his session, and the two act as one server."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
from pathlib import Path

import pytest

from faults.conftest import MakeSite
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import is_refused
from faults.load import CLIENT, Told, look, refresh_once
from faults.site import Site, account, port_of, refresh, sign_in, until
from faults.wire import Cut, Wire, once
from free_ports import free_port
from live_server import LiveServer
from postgres_server import children_of

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("engine", ["postgres"], indirect=True)]

CLIENTS = 12


def _both(server: LiveServer) -> list[int]:
    pids = sorted(children_of(server.process.pid))
    assert len(pids) == 2, server.output()
    return pids


async def _ready(server: LiveServer) -> None:
    """The first worker answers before the second has started."""
    await until(lambda: '"serving"' in server.output(), 60, "both workers")


async def _connected_to(port: int, other: int) -> Wire:
    """Return a client whose connection is not the other worker's: that one is held while it connects."""
    wire = Wire(port)
    os.kill(other, signal.SIGSTOP)
    try:
        assert (await wire.call("GET", "/healthz")).status == 200
    finally:
        os.kill(other, signal.SIGCONT)
    return wire


async def _refreshes_in(port: int) -> int:
    shown = (await once(port, "GET", "/metrics")).body.decode()
    counted = re.search(
        r'sekisho_requests_total\{method="POST",route="/api/v1/auth/refresh",status="200"\} (\S+)', shown
    )
    return int(float(counted[1])) if counted else 0


async def test_a_worker_killed_amid_refreshes_logs_nobody_out_and_comes_back(site: Site) -> None:
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.serving(SEKISHO_WORKERS="2", SEKISHO_METRICS="loopback") as server:
        await _ready(server)
        port, pids = port_of(server), _both(server)
        everybody = [Told(number) for number in range(CLIENTS)]
        wires = [await _connected_to(port, pids[told.number % 2]) for told in everybody]
        await asyncio.gather(*(_begins(wire, told) for wire, told in zip(wires, everybody, strict=True)))
        deadline = asyncio.get_running_loop().time() + 30
        while (counted := await _refreshes_in(port)) != 2 * CLIENTS:
            assert asyncio.get_running_loop().time() < deadline, f"{counted} of {2 * CLIENTS} refreshes are shown"
            await asyncio.sleep(0.1)

        stop = asyncio.Event()
        going = asyncio.gather(*(_goes_on(wire, told, stop) for wire, told in zip(wires, everybody, strict=True)))
        await asyncio.sleep(0.3)
        os.kill(pids[0], signal.SIGKILL)
        await until(lambda: '"worker_ready"' in server.output(), 60, "the worker that takes its place")
        stop.set()
        await going
        assert set(_both(server)) - set(pids)
        assert sum(told.unanswered for told in everybody) > 0, "nobody was with the worker that was killed"
        assert await _refreshes_in(port) > counted
        assert server.output().count('"worker_ended"') == 1
        assert "SIGKILL" in server.output()
        await everybody_goes_on(port, everybody)

        pids = _both(server)
        server.kill()
        await until(lambda: not any(_lives(pid) for pid in pids), 60, "workers that leave with their supervisor")
    the_database_agrees(site, everybody)


async def _begins(wire: Wire, told: Told) -> None:
    told.pair = await sign_in(wire, told.number, CLIENT)
    told.logins.append(told.pair.sid)
    for _ in range(2):
        await refresh_once(wire, told)


async def _goes_on(wire: Wire, told: Told, stop: asyncio.Event) -> None:
    """Refresh and look, as a client should: the same again until there is an answer."""
    while not stop.is_set():
        try:
            await refresh_once(wire, told)
            await look(wire, told)
        except Cut:
            told.unanswered += 1
    await wire.close()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_what_one_worker_ends_the_other_refuses_and_a_signal_ends_both(site: Site) -> None:
    await site.seed(account(0))
    with site.serving(SEKISHO_WORKERS="2") as server:
        await _ready(server)
        pids = _both(server)
        one, two = await _connected_to(port_of(server), pids[1]), await _connected_to(port_of(server), pids[0])
        for _ in range(3):
            pair = await sign_in(one)
            for wire in (one, two):
                assert (await wire.call("GET", "user/profile", token=pair.access_token)).status == 200
            out = {"refresh_token": pair.refresh_token, "client_id": CLIENT}
            assert (await one.call("POST", "auth/logout", out)).status == 200
            # Not `auth/session`, which reads the session's row: here the worker's memory alone decides.
            await is_refused(two, pair, within_s=1)
            assert (await refresh(two, pair.refresh_token)).error == "refresh_token_invalid"
        await one.close()
        await two.close()

        server.process.terminate()
        await until(lambda: server.process.poll() is not None, 60, "the end")
        assert server.process.returncode == 0
        assert not any(_lives(pid) for pid in pids)
        assert server.output().count('"serving"') == 1


async def test_connections_that_come_at_once_are_shared_out_evenly(site: Site) -> None:
    with site.serving(SEKISHO_WORKERS="2") as server:
        await _ready(server)
        pids, wires = _both(server), [Wire(port_of(server)) for _ in range(24)]
        before = [_sockets_of(pid) for pid in pids]
        found: list[list[int]] = []
        # One by one would be twelve each; a worker that is not scheduled for 5 ms misses its turn: two of ten will do.
        while sum(min(held) >= 7 for held in found) < 2:
            assert len(found) < 10, found
            await asyncio.gather(*(wire.call("GET", "/healthz") for wire in wires))
            found.append([_sockets_of(pid) - was for pid, was in zip(pids, before, strict=True)])
            for wire in wires:
                await wire.close()
            await until(lambda: [_sockets_of(pid) for pid in pids] == before, 30, "the end of the connections")


def _sockets_of(pid: int) -> int:
    return sum(_is_socket(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())


def _is_socket(entry: Path) -> bool:
    """One that has been closed since the folder was read is none."""
    try:
        return str(entry.readlink()).startswith("socket:")
    except FileNotFoundError:
        return False


async def test_what_keeps_workers_from_starting_is_said_once(make_site: MakeSite) -> None:
    site = make_site()
    with site.serving():
        pass
    start = ("serve", "--workers", "3", "--port", str(free_port()))
    mistakes = {"SEKISHO_LOG__LEVEL: must be": "loud", "SEKISHO_SECRET is not the": secrets.token_urlsafe(32)}
    for said, value in mistakes.items():
        given = {said.split(":")[0].split()[0]: value}
        refused = await asyncio.to_thread(lambda given: site.command(*start, **given), given)
        assert refused.returncode == 1, refused.stderr
        assert refused.stderr.count(said) == 1, refused.stderr
        assert "Traceback" not in refused.stderr
