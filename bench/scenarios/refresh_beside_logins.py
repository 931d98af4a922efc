"""Refresh at half its own best rate while logins keep the hash pool full: who is signed in must not feel a rush."""

from __future__ import annotations

from collections import Counter

from bench.driver import ClosedLoop, OpenLoop
from bench.measure import measure, middle
from bench.rows import Aim, Row, row
from bench.scenarios.login import logins
from bench.setting import Setting


async def run(setting: Setting) -> list[Row]:
    rate = (setting.found["refresh"].per_second or 0.0) / 2
    broken: Counter[str] = Counter()
    stretches = []
    for _ in range(setting.plan.repeats):
        rush = ClosedLoop()
        await rush.connect(setting.server.ports, logins(setting.site))
        rush.start()
        stretches.append(await measure(OpenLoop(max(1.0, rate)), setting.server, setting.chains, setting.plan))
        await rush.stop()
        broken += rush.violations
    found = row("refresh at half load, logins saturating", middle(stretches), None, (), broken)
    # The processor time is mostly that of the hashes, so it says nothing about a refresh.
    return [
        Row(
            id=found.id,
            per_second=found.per_second,
            p50_ms=found.p50_ms,
            p99_ms=found.p99_ms,
            driver_busy=found.driver_busy,
            aims=(Aim("p99_ms", 20, found.p99_ms),),
            violations=found.violations,
        )
    ]
