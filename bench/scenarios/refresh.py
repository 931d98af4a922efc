"""Refresh: every user continues random chains of its own, while four tabs refresh one token in parallel."""

from __future__ import annotations

import asyncio

from bench.chains import stored_violations
from bench.measure import at_half_load, saturate
from bench.rows import Aim, Row, row
from bench.setting import Setting


async def run(setting: Setting) -> list[Row]:
    server, plan, tabs = setting.server, setting.plan, setting.tabs
    parallel = asyncio.create_task(tabs.run(server.port))
    most = await saturate(server, setting.saturating_chains, plan)
    half = await at_half_load(server, setting.chains, plan, most.per_second)
    tabs.is_stopping = True
    await parallel
    broken = tabs.violations + stored_violations(setting.site, [*setting.chains, tabs.chains])
    # 10,000 a second where the bare handler does 45,000.
    return [row("refresh", most, half, (Aim("bare_cpu", 3.5), Aim("bare_throughput", 10 / 45)), broken)]
