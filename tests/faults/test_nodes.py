"""FS-11, FS-13 and clocks: two nodes of which one is cut off, or whose keys rotate, or whose clocks differ."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from faults.cut_proxy import cut_proxy_apart, through
from faults.engines import ON_SERVERS
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import is_refused, living, used
from faults.load import CLIENT
from faults.site import Pair, Site, account, ports_of, refresh, sign_in, until
from faults.wire import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

CLIENTS = 8


async def log_out(wire: Wire, pair: Pair) -> None:
    out = {"refresh_token": pair.refresh_token, "client_id": CLIENT}
    assert (await wire.call("POST", "auth/logout", out)).status == 200


@pytest.mark.parametrize(
    ("engine", "variable", "led_by"),
    [
        ("postgres", "SEKISHO_DATABASE_LISTEN_URL", "SEKISHO_DATABASE_URL"),
        ("redis", "SEKISHO_REDIS_URL", "SEKISHO_REDIS_URL"),
        ("redis", "SEKISHO_DATABASE_URL", "SEKISHO_DATABASE_URL"),
    ],
    ids=["from notifications", "from Redis", "from PostgreSQL"],
    indirect=["engine"],
)
async def test_FS_11_a_node_that_is_cut_off_refuses_what_ended_elsewhere_and_comes_back(
    site: Site, variable: str, led_by: str
) -> None:
    url = site.environ[led_by]
    await site.seed(*(account(number) for number in range(CLIENTS + 1)))
    port = urlsplit(url).port
    assert port is not None
    with (
        cut_proxy_apart(port) as network,
        site.serving(SEKISHO_DATABASE_TIMEOUT_MS="1000") as whole,
        site.serving(SEKISHO_DATABASE_TIMEOUT_MS="1000", **{variable: through(url, network.port)}) as cut_off,
    ):
        servers = [whole, cut_off]
        one, two = (Wire(port) for port in ports_of(servers))
        mine, other = await sign_in(one, CLIENTS), await sign_in(one, CLIENTS)
        for wire in (one, two):
            assert (await used(wire, mine)).status == 200
        async with living(servers, CLIENTS) as everybody:
            network.is_cut = True
            await log_out(one, mine)
            if variable == "SEKISHO_DATABASE_URL":
                # It has no way to know, and so it says nothing about anybody.
                assert (await used(two, mine)).status == 503
                assert (await refresh(two, other.refresh_token)).status == 503
            else:
                await is_refused(two, mine, within_s=1)
            if variable == "SEKISHO_REDIS_URL":
                undecided = await refresh(two, other.refresh_token)
                assert (undecided.status, undecided.took_s < 10) == (503, True)
                assert int(undecided.headers["retry-after"]) >= 1
            assert Pair.of(await refresh(one, other.refresh_token))
            network.is_cut = False
            await everybody.all_go_on(60, "recovery")
            await is_refused(two, mine, within_s=1)
        for wire in (one, two):
            assert (await refresh(wire, mine.refresh_token)).error == "refresh_token_invalid"
            await wire.close()
        assert not any("Traceback" in each.output() for each in servers)
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@ON_SERVERS
async def test_FS_13_keys_that_rotate_under_load_fail_nobody(site: Site) -> None:
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.nodes() as servers:
        async with living(servers, CLIENTS) as everybody:
            kids: set[str] = set()
            for _ in range(2):
                kids |= {told.pair.kid for told in everybody.everybody if told.pair}
                rotated = await asyncio.to_thread(site.command, "key", "rotate", "--json")
                assert rotated.returncode == 0, rotated.stderr
                await everybody.all_go_on(60, "new pairs")
                fresh = site.value("SELECT kid FROM signing_keys WHERE state = 'active'")
                await until(
                    lambda kid=fresh: all(told.pair.kid == kid for told in everybody.everybody if told.pair),
                    30,
                    "tokens of the new key",
                )
        assert len(kids) == 2
        # `keep_going` takes nothing but 200 for an answer to a good token.
        assert everybody.refusals() == sum(told.unanswered for told in everybody.everybody) == 0
        await everybody_goes_on(ports_of(servers), everybody.everybody)
    the_database_agrees(site, everybody.everybody)


@pytest.mark.parametrize(("engine", "ahead_s"), [("postgres", 4), ("postgres", 40), ("redis", 40)], indirect=["engine"])
async def test_nodes_whose_clocks_differ_log_nobody_out_and_fork_nothing(site: Site, ahead_s: int) -> None:
    """Up to 5 s nobody notices. Beyond that the node behind refuses for as long what the other has just made: its
    access tokens, and the repetition of a refresh. No session ends for it."""
    await site.seed(*(account(number) for number in range(CLIENTS + 1)))
    with site.serving() as right, site.serving(crash_at=f"clock:{ahead_s}") as ahead:
        servers = [right, ahead]
        one, two = (Wire(port) for port in ports_of(servers))
        async with living(servers, CLIENTS, looks=ahead_s < 5) as everybody:
            for here, there in ((one, two), (two, one)):
                mine = await sign_in(here, CLIENTS)
                await log_out(here, mine)
                assert (await refresh(there, mine.refresh_token)).error == "refresh_token_invalid"
                if here is one:
                    await is_refused(there, mine, within_s=1)
            mine = await sign_in(one, CLIENTS)
            next_one = Pair.of(await refresh(two, mine.refresh_token))
            again = [await refresh(wire, mine.refresh_token) for wire in (two, one)]
            assert Pair.of(again[0]).refresh_token == next_one.refresh_token
            if ahead_s < 5:
                assert Pair.of(again[1]).refresh_token == next_one.refresh_token
            else:
                # A repetition from before its rotation, by this clock: it gets nothing, and the session lives on.
                assert again[1].error == "refresh_token_invalid"
            assert Pair.of(await refresh(one, next_one.refresh_token))
            await everybody.all_go_on(60, "refreshes on both")
        await everybody_goes_on(ports_of(servers[1:]), everybody.everybody)
        for wire in (one, two):
            await wire.close()
    the_database_agrees(site, everybody.everybody)
