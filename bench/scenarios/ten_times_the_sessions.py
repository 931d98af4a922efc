"""Refresh on ten times the accounts and sessions, in turn with the usual number: does the size cost anything?"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.chains import Chains, chains, stored_violations
from bench.driver import ClosedLoop
from bench.measure import SATURATING_USERS, Stretch, measure, middle
from bench.processes import Started
from bench.rows import Aim, Row, row
from bench.seeding import seed
from bench.setting import Setting
from bench.site import Site


async def run(setting: Setting) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        large = await seed(Path(name), 10 * setting.site.size)
        with setting.serving(large) as server:
            users, _ = chains(large, SATURATING_USERS)
            many, few = await _in_turn(setting, (server, users), (setting.server, setting.saturating_chains))
        return [await _row("refresh, ten times the sessions", large, users, many, few)]


async def on_postgres(setting: Setting) -> list[Row]:
    engines = setting.engines
    usual, (usual_users, _) = await engines.site(), await engines.users()
    large = await engines.large_site(10 * usual.size)
    users, _ = chains(large, SATURATING_USERS)
    with (
        setting.serving(large, (engines.postgres,)) as server,
        setting.serving(usual, (engines.postgres,)) as usual_server,
    ):
        many, few = await _in_turn(setting, (server, users), (usual_server, usual_users[:SATURATING_USERS]))
    return [await _row("refresh, ten times the sessions, PostgreSQL", large, users, many, few)]


async def _in_turn(
    setting: Setting, large: tuple[Started, Sequence[Chains]], usual: tuple[Started, Sequence[Chains]]
) -> tuple[Stretch, Stretch]:
    many, few = [], []
    for _ in range(setting.plan.repeats):
        many.append(await measure(ClosedLoop(), *large, setting.plan))
        few.append(await measure(ClosedLoop(), *usual, setting.plan))
    return middle(many), middle(few)


async def _row(name: str, large: Site, users: Sequence[Chains], many: Stretch, few: Stretch) -> Row:
    aims = [Aim("size_cpu", 1.2, many.cpu_us / few.cpu_us)]
    if many.store_us is not None and few.store_us is not None:
        aims.append(Aim("size_store_cpu", 1.2, many.store_us / few.store_us))
    return row(name, many, None, aims, few.violations + await stored_violations(large, users))
