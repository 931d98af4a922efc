"""Refresh: every user continues random chains of its own, while four tabs refresh one token in parallel."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bench.chains import Chains, Tabs, stored_violations
from bench.measure import SATURATING_USERS, Plan, Stretch, at_half_load, saturate
from bench.processes import Nodes, Started
from bench.rows import Aim, Row, row
from bench.setting import Setting
from bench.warming import count_keys, warm


async def run(setting: Setting) -> list[Row]:
    most, half = await measured(setting.plan, setting.server, setting.chains, setting.tabs)
    broken = setting.tabs.violations + await stored_violations(setting.site, [*setting.chains, setting.tabs.chains])
    # 10,000 a second where the bare handler does 45,000.
    return [row("refresh", most, half, (Aim("bare_cpu", 3.5), Aim("bare_throughput", 10 / 45)), broken)]


async def on_postgres(setting: Setting) -> list[Row]:
    engines = setting.engines
    site, (users, tabs) = await engines.site(), await engines.users()
    with setting.serving(site, (engines.postgres,)) as server:
        most, half = await measured(setting.plan, server, users, tabs)
    broken = tabs.violations + await stored_violations(site, [*users, tabs.chains])
    return [row("refresh, PostgreSQL", most, half, (Aim("bare_cpu", 7),), broken)]


async def on_redis(setting: Setting) -> list[Row]:
    """Redis decides; PostgreSQL learns of rotations behind."""
    engines = setting.engines
    site, (users, tabs) = await engines.site_with_redis(), await engines.users()
    record_bytes = await warm(site)
    with setting.serving(site, (engines.postgres, engines.redis)) as server:
        most, half = await measured(setting.plan, server, users, tabs)
        keys = await count_keys(site)
    assert keys < site.size * 1.01, "the server did not find the records where they were put"
    broken = tabs.violations + await stored_violations(site, [*users, tabs.chains])
    aims = (Aim("bare_cpu", 4), Aim("record_bytes", None, record_bytes))
    return [row("refresh, PostgreSQL and Redis", most, half, aims, broken)]


async def measured(plan: Plan, server: Started | Nodes, users: Sequence[Chains], tabs: Tabs) -> tuple[Stretch, Stretch]:
    """Return the closed loop and the open one, both beside the tabs."""
    parallel = asyncio.create_task(tabs.run(server.ports))
    try:
        most = await saturate(server, users[:SATURATING_USERS], plan)
        half = await at_half_load(server, users, plan, most.per_second)
    finally:
        tabs.is_stopping = True
        await parallel
    return most, half
