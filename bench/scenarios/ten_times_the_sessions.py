"""Refresh on ten times the sessions, in turn with the usual number: does the size of the database cost anything?"""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.chains import chains, stored_violations
from bench.driver import ClosedLoop
from bench.measure import SATURATING_USERS, measure, middle
from bench.rows import Aim, Row, row
from bench.setting import Setting, serving
from bench.site import seed


async def run(setting: Setting) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        large = await seed(Path(name), 10 * setting.site.size)
        with serving(large, setting.smtp_port, setting.cores) as server:
            users, _ = chains(large, SATURATING_USERS)
            many, few = [], []
            for _ in range(setting.plan.repeats):
                many.append(await measure(ClosedLoop(), server, users, setting.plan))
                few.append(await measure(ClosedLoop(), setting.server, setting.saturating_chains, setting.plan))
        most, usual = middle(many), middle(few)
        broken = usual.violations + stored_violations(large, users)
    aim = Aim("size_cpu", 1.2, most.cpu_us / usual.cpu_us)
    return [row("refresh, ten times the sessions", most, None, (aim,), broken)]
