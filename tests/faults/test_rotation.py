"""FS-01 to FS-04, FS-24, FS-30: whatever happens around a rotation, nobody honest is logged out and nothing forks."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from delivery.smtp_server import PostOffice
from faults.conftest import MakeSite
from faults.cut_proxy import cut_proxy
from faults.engines import ON_EVERY_ENGINE, PostgresAndRedis
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import is_refused
from faults.load import CLIENT, Load, Nodes, Told, look, refresh_once
from faults.mail import mail_server
from faults.site import Pair, Site, account, port_of, ports_of, refresh, sign_in, until
from faults.wire import Answer, Cut, Wire

pytestmark = pytest.mark.anyio

heavy = pytest.mark.heavy
FEW_OR_MANY = pytest.mark.parametrize(
    ("engine", "clients"),
    [
        ("sqlite", 16),
        pytest.param("sqlite", 200, marks=heavy),
        pytest.param("postgres", 24, marks=heavy),
        pytest.param("redis", 24, marks=heavy),
    ],
    indirect=["engine"],
)
POINTS = ("rotation.before_write", "rotation.before_commit", "rotation.before_answer")


@pytest.mark.parametrize(
    ("engine", "clients", "point"),
    [
        *(("sqlite", 16, point) for point in POINTS),
        *(pytest.param("sqlite", 200, point, marks=heavy) for point in POINTS),
        # One statement, or one script: nothing lies between writing and committing.
        *(pytest.param(name, 24, POINTS[at], marks=heavy) for name in ("postgres", "redis") for at in (0, 2)),
    ],
    indirect=["engine"],
)
async def test_FS_01_a_kill_in_a_rotation_logs_nobody_out_and_forks_nothing(
    site: Site, point: str, clients: int
) -> None:
    """Where two nodes serve, the one that lives goes on with the clients of the other."""
    await site.seed(*(account(number) for number in range(clients)))
    with site.nodes(crash_at=f"{point}:{2 * clients // site.engine.nodes}") as servers:
        crashing = servers[0].process
        everybody = await Load(ports_of(servers), clients).run()
        await until(lambda: crashing.poll() is not None, 30, "the crash")
        await everybody_goes_on(ports_of(servers[1:]), everybody if servers[1:] else ())
    assert crashing.returncode == -9
    assert any(told.unanswered for told in everybody)
    if site.engine.name == "sqlite":
        assert any(told.unanswered and told.successor == "" and told.presented for told in everybody)

    with site.nodes() as servers:
        await everybody_goes_on(ports_of(servers), everybody)
    the_database_agrees(site, everybody)


# On SQLite only: it looks at the file between the points of one transaction.
async def test_FS_01_what_was_not_committed_is_not_and_what_was_is(site: Site) -> None:
    await site.seed(account(0))
    expected = {"rotation.before_write": 0, "rotation.before_commit": 0, "rotation.before_answer": 1}
    for point, counter in expected.items():
        with site.serving(crash_at=f"{point}:1") as server:
            wire = Wire(port_of(server))
            pair = await sign_in(wire)
            with pytest.raises(Cut):
                await refresh(wire, pair.refresh_token)
        assert site.value("SELECT counter FROM sessions WHERE id = ?", pair.sid) == counter


@ON_EVERY_ENGINE
async def test_FS_02_an_answer_that_was_lost_is_given_again_within_the_window(site: Site) -> None:
    await site.seed(account(0))
    with site.nodes() as servers:
        async with cut_proxy(port_of(servers[0])) as proxy:
            wire = Wire(proxy.port)
            pair = await sign_in(wire)
            proxy.loses = lambda: True
            with pytest.raises(Cut):
                await refresh(wire, pair.refresh_token)
            proxy.loses = lambda: False
            nodes = Nodes([proxy.port, *ports_of(servers[1:])])
            first, second = [Pair.of(await refresh(nodes.next(), pair.refresh_token)) for _ in range(2)]
            await nodes.close()
            await wire.close()
            assert first.refresh_token == second.refresh_token != pair.refresh_token
            assert (first.presented.counter, proxy.lost) == (1, 1)


# The verdict is one function of all engines, which the contract of the stores holds them to.
async def test_FS_02_after_the_window_the_session_ends_and_says_so(make_site: MakeSite) -> None:
    site = make_site(SEKISHO_SESSION__GRACE_SECONDS="1")
    await site.seed(account(0))
    with site.serving() as server:
        async with cut_proxy(port_of(server)) as proxy:
            wire = Wire(proxy.port)
            pair = await sign_in(wire)
            proxy.loses = lambda: True
            with pytest.raises(Cut):
                await refresh(wire, pair.refresh_token)
            proxy.loses = lambda: False
            # The window is over by the clock alone: asking earlier would be answered and prove nothing.
            await asyncio.sleep(1.1)
            refused = await refresh(wire, pair.refresh_token)
            used = await wire.call("GET", "auth/session", token=pair.access_token)
            await wire.close()
    assert (refused.status, refused.error) == (401, "refresh_token_invalid")
    assert used.error == "session_revoked"
    assert site.rows("SELECT reason FROM audit WHERE event = 'session_ended'") == [("refresh_token_replayed",)]


@FEW_OR_MANY
async def test_FS_02_a_load_through_a_network_that_loses_answers_loses_nobody(site: Site, clients: int) -> None:
    await site.seed(*(account(number) for number in range(clients)))
    with site.nodes() as servers:
        everybody = await Load(ports_of(servers), clients, refreshes=0, logs_out=False).run()
        async with AsyncExitStack() as stack:
            proxies = [await stack.enter_async_context(cut_proxy(port)) for port in ports_of(servers)]
            for proxy in proxies:
                proxy.loses = lambda: secrets.randbelow(4) == 0
            ports = [proxy.port for proxy in proxies]
            await asyncio.gather(*(_stubborn(ports, told, 4) for told in everybody))
            assert all(proxy.lost > 0 for proxy in proxies)
        await everybody_goes_on(ports_of(servers), everybody)
    the_database_agrees(site, everybody)
    assert site.value("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == clients


async def _stubborn(ports: Sequence[int], told: Told, times: int) -> None:
    """Refresh as a client should: the same token again until there is an answer."""
    nodes = Nodes(ports, told.number)
    for _ in range(times):
        while True:
            try:
                await refresh_once(nodes.next(), told)
                break
            except Cut:
                continue
    await nodes.close()


@ON_EVERY_ENGINE
async def test_FS_03_a_replayed_token_puts_both_out_and_says_so(site: Site) -> None:
    office = PostOffice()
    await site.seed(account(0))
    async with mail_server(office, site.smtp_port):
        with site.nodes() as servers:
            victim, thief = Wire(port_of(servers[0])), Wire(port_of(servers[-1]))
            stolen = await sign_in(victim)
            second = Pair.of(await refresh(victim, stolen.refresh_token))
            newest = Pair.of(await refresh(victim, second.refresh_token))

            assert (await refresh(thief, stolen.refresh_token)).error == "refresh_token_invalid"
            # Decided by the node's own memory, without a look at the row.
            await is_refused(victim, stolen, within_s=1)
            used = [await victim.call("GET", "user/profile", token=each.access_token) for each in (stolen, newest)]
            assert {answer.error for answer in used} == {"session_revoked"}
            assert (await refresh(victim, newest.refresh_token)).error == "refresh_token_invalid"
            await until(lambda: len(office.letters()) == 1, 30, "the letter to the owner")
            await victim.close()
            await thief.close()
    assert office.letters()[0]["To"] == "canary-0@example.com"
    ends = site.rows("SELECT session_id, reason FROM audit WHERE event = 'session_ended'")
    assert ends == [(stolen.sid, "refresh_token_replayed")]
    assert site.value("SELECT count(*) FROM sessions WHERE ended_at IS NULL") == 0


@ON_EVERY_ENGINE
async def test_FS_04_a_hundred_parallel_refreshes_share_one_successor(site: Site) -> None:
    """On four nodes, where more than one can serve."""
    await site.seed(account(0))
    with site.nodes(many=1 if site.engine.name == "sqlite" else 4) as servers:
        ports = ports_of(servers)
        wires = [Wire(ports[number % len(ports)]) for number in range(100)]
        pair = await sign_in(wires[0])
        await asyncio.gather(*(wire.call("GET", "/healthz") for wire in wires))
        one_by_one_s = await _takes_for_a_hundred_one_by_one(wires)
        answers: list[Answer] = await asyncio.gather(*(refresh(wire, pair.refresh_token) for wire in wires))
        for wire in wires:
            await wire.close()
    assert len({Pair.of(answer).refresh_token for answer in answers}) == 1
    assert site.value("SELECT counter FROM sessions WHERE id = ?", pair.sid) == 1
    assert sorted(answer.took_s for answer in answers)[98] < max(5, 5 * one_by_one_s)


async def _takes_for_a_hundred_one_by_one(wires: Sequence[Wire]) -> float:
    """What so many refreshes cost on this machine now, in a session of their own."""
    pair = await sign_in(wires[0])
    started = asyncio.get_running_loop().time()
    for wire in wires:
        pair = Pair.of(await refresh(wire, pair.refresh_token))
    return asyncio.get_running_loop().time() - started


@ON_EVERY_ENGINE
async def test_FS_24_a_token_ahead_of_a_restored_database_rolls_it_forward(site: Site) -> None:
    await site.seed(account(0))
    with site.nodes() as servers:
        nodes = Nodes(ports_of(servers))
        pair = await sign_in(nodes.next())
        site.engine.back_up()
        for _ in range(3):
            pair = Pair.of(await refresh(nodes.next(), pair.refresh_token))
        await nodes.close()
    site.engine.put_back()
    if isinstance(site.engine, PostgresAndRedis):
        # What is left in Redis would know the rotations: here it is lost, too.
        site.engine.redis.say("FLUSHALL")
    with site.nodes() as servers:
        nodes = Nodes(ports_of(servers))
        ahead = Pair.of(await refresh(nodes.next(), pair.refresh_token))
        await look(nodes.next(), Told(0, pair=ahead))
        await nodes.close()
    assert ahead.presented.counter == 4
    await until(lambda: site.value("SELECT counter FROM sessions") == 4, 30, "the row")
    # Beside Redis, which saves rotations later, a row so little behind is nothing to tell of.
    told = 0 if site.engine.name == "redis" else 1
    assert site.value("SELECT count(*) FROM audit WHERE event = 'store_behind'") == told


@ON_EVERY_ENGINE
async def test_FS_24_what_ended_after_a_backup_stays_ended_when_it_is_restored(site: Site) -> None:
    """With Redis still full of what was there before."""
    await site.seed(account(0))
    backup = () if site.engine.name != "sqlite" else (str(site.folder / "backup.db"),)
    with site.nodes() as servers:
        nodes = Nodes(ports_of(servers))
        pair = await sign_in(nodes.next())
        if backup:
            assert site.command("backup", *backup).returncode == 0
        else:
            site.engine.back_up()
        ended = await nodes.next().call(
            "POST", "auth/logout", {"refresh_token": pair.refresh_token, "client_id": CLIENT}
        )
        later = await sign_in(nodes.next())
        later = Pair.of(await refresh(nodes.next(), later.refresh_token))
        assert ended.status == 200
        if backup:
            assert "locked" in site.command("restore", *backup).stderr, "a server has it open"
        await nodes.close()
    if not backup:
        site.engine.put_back()
    restored = site.command("restore", *backup)
    assert restored.returncode == 0, restored.stderr
    with site.nodes() as servers:
        nodes = Nodes(ports_of(servers))
        answers = [await refresh(nodes.next(), each.refresh_token) for each in (pair, later) for _ in servers]
        bearers = [await nodes.next().call("GET", "user/profile", token=later.access_token) for _ in servers]
        fresh = await sign_in(nodes.next())
        await look(nodes.next(), Told(0, pair=fresh))
        await nodes.close()

    assert {answer.status for answer in answers} == {401}
    assert {bearer.status for bearer in bearers} == {401}
    assert site.value("SELECT count(*) FROM audit WHERE event = 'database_restored'") == 1
    assert site.value("SELECT count(*) FROM audit WHERE event = 'session_ended' AND reason = 'restored'") == 1


@FEW_OR_MANY
async def test_FS_30_a_herd_that_returns_after_an_outage_is_served(site: Site, clients: int) -> None:
    await site.seed(*(account(number) for number in range(clients)))
    with site.nodes() as servers:
        everybody = await Load(ports_of(servers), clients, refreshes=0, logs_out=False).run()
        for server in servers:
            server.kill()
    lives = [told.pair.claims["exp"] - told.pair.claims["iat"] for told in everybody if told.pair]
    assert 900 * 0.95 - 1 <= min(lives) < max(lives) <= 900
    assert len(set(lives)) >= min(clients / 4, 20), "tokens of one moment end at many"

    with site.nodes() as servers:
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(_stubborn(ports_of(servers), told, 1) for told in everybody))
        took_s = asyncio.get_running_loop().time() - started
        await everybody_goes_on(ports_of(servers), everybody)
    assert took_s < 10
    the_database_agrees(site, everybody)
