"""Two nodes on one PostgreSQL, with and without Redis: refreshes on both, the tabs of one browser spread over both, and
how long a session that one node has ended is still served by the other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from time import monotonic_ns

from bench.chains import Chains, Tabs, read_answer, stored_violations
from bench.driver import OpenLoop
from bench.histogram import Histogram
from bench.measure import SATURATING_USERS, Plan, Stretch, saturate
from bench.processes import Nodes, UsesProcessor
from bench.requests import get, post_head
from bench.rows import Aim, Row, row
from bench.setting import Setting
from bench.site import Site

SESSION = "/api/v1/auth/session"
LOGOUT = "/api/v1/auth/logout"
REFUSED_WITHIN_MS = 1000
GIVEN_UP_AFTER_NS = 5_000_000_000


async def on_postgres(setting: Setting) -> list[Row]:
    engines = setting.engines
    site = await engines.site()
    return await _rows("PostgreSQL", setting, site, (engines.postgres,), site.listed_sessions[::2])


async def on_redis(setting: Setting) -> list[Row]:
    engines = setting.engines
    site = await engines.site_with_redis()
    stores = (engines.postgres, engines.redis)
    return await _rows("PostgreSQL and Redis", setting, site, stores, site.listed_sessions[1::2])


async def _rows(on: str, setting: Setting, site: Site, stores: tuple[UsesProcessor, ...], sessions: range) -> list[Row]:
    users, tabs = await setting.engines.users()
    plan = setting.plan
    ending = iter(sessions)
    with (
        setting.serving(site, stores) as first,
        setting.serving(site, stores, is_second=True) as second,
    ):
        nodes = Nodes((first, second))
        most = await _spread(plan, nodes, users, tabs)
        quiet = Revocations(site, first.port, second.port)
        await quiet.end(ending, plan.revocations)
        loaded = Revocations(site, first.port, second.port)
        load = OpenLoop(most.per_second / 2)
        await load.connect(nodes.ports, users)
        load.start()
        await loaded.end(ending, plan.revocations)
        await load.stop()
    broken = tabs.violations + load.violations + await stored_violations(site, [*users, tabs.chains])
    return [
        row(f"refresh, two nodes, {on}", most, None, (), broken),
        quiet.row(f"revocation on the other node, {on}"),
        loaded.row(f"revocation on the other node, half load, {on}"),
    ]


async def _spread(plan: Plan, nodes: Nodes, users: Sequence[Chains], tabs: Tabs) -> Stretch:
    """Return the closed loop over both nodes, beside the tabs of one browser."""
    parallel = asyncio.create_task(tabs.run(nodes.ports))
    try:
        return await saturate(nodes, users[:SATURATING_USERS], plan)
    finally:
        tabs.is_stopping = True
        await parallel


class Revocations:
    """Ends sessions on one node and asks the other until it refuses them."""

    def __init__(self, site: Site, ending_port: int, asked_port: int) -> None:
        self._site = site
        self._ports = (ending_port, asked_port)
        self._delays = Histogram()
        self._violations: Counter[str] = Counter()

    async def end(self, sessions: Iterator[int], count: int) -> None:
        """End the next so many of these sessions, one after the other."""
        lines = [await asyncio.open_connection("127.0.0.1", port) for port in self._ports]
        for session in (next(sessions) for _ in range(count)):
            await self._end(session, *lines)
        for _, writer in lines:
            writer.close()

    async def _end(self, session: int, ending: _Line, asked: _Line) -> None:
        (token,) = self._site.access_tokens([session])
        bearer = f"Authorization: Bearer {token}"
        question = get(SESSION, bearer)
        if (await _ask(asked, question))[0] != 200:
            self._violations["a live session was refused"] += 1
            return
        if (await _ask(ending, _logout(bearer)))[0] != 200:
            self._violations["a session could not be ended"] += 1
            return
        ended_at = monotonic_ns()
        while True:
            status, body = await _ask(asked, question)
            delay = monotonic_ns() - ended_at
            if status == 401 and b"session_revoked" in body:
                self._delays.add(delay)
                return
            if status != 200 or delay > GIVEN_UP_AFTER_NS:
                self._violations[f"an ended session was answered with {status}"] += 1
                return

    def row(self, name: str) -> Row:
        p50, p99 = self._delays.percentile_ms(50), self._delays.percentile_ms(99)
        aim = Aim("p99_ms", REFUSED_WITHIN_MS, p99)
        return Row(id=name, p50_ms=p50, p99_ms=p99, aims=(aim,), violations=dict(self._violations))


_Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _ask(line: _Line, request: bytes) -> tuple[int, bytes]:
    line[1].write(request)
    return await read_answer(line[0])


def _logout(bearer: str) -> bytes:
    return post_head(LOGOUT, 2).replace(b"\r\n\r\n", f"\r\n{bearer}\r\n\r\n".encode()) + b"{}"
