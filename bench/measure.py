"""One measured stretch: a load against a process, with warm-up, and the processor time that it cost."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from bench.driver import ClosedLoop, Load, OpenLoop, Script
from bench.processes import Nodes, Started

SATURATING_USERS = 64
# An open loop needs enough users that a slow answer does not hold the next request back.
OPEN_USERS = 128


class Plan(Struct, frozen=True):
    """How long and how often: `repeats` stretches of `seconds`, each after `warm_up_s`; of `size` sessions;
    `revocations` to learn how long one takes."""

    size: int
    warm_up_s: float
    seconds: float
    repeats: int
    revocations: int


FULL = Plan(size=100_000, warm_up_s=1.0, seconds=4.0, repeats=3, revocations=200)
QUICK = Plan(size=10_000, warm_up_s=0.3, seconds=0.9, repeats=1, revocations=30)


class Stretch(Struct, frozen=True):
    """cpu_us: of the server process, for each good answer; store_us: of the stores' processes, None where the store is
    part of the server. driver_busy: of the driver's core, 0 to 1; near 1 the driver
    and not the server was the limit."""

    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    driver_busy: float
    violations: Counter[str]
    store_us: float | None = None


async def measure(load: Load, server: Started | Nodes, scripts: Sequence[Script], plan: Plan) -> Stretch:
    """Run `load` once; over several nodes its users are dealt out."""
    await load.connect(server.ports, scripts)
    load.start()
    await asyncio.sleep(plan.warm_up_s)
    load.begin_counting()
    cpu, own, begun = server.cpu_s(), time.process_time(), time.monotonic()
    store_cpu = server.store_cpu_s()
    await asyncio.sleep(plan.seconds)
    counted = load.counted()
    cpu, own, elapsed = server.cpu_s() - cpu, time.process_time() - own, time.monotonic() - begun
    store_cpu = None if store_cpu is None else (server.store_cpu_s() or 0.0) - store_cpu
    await load.stop()
    answers = max(1, counted.succeeded)
    return Stretch(
        per_second=counted.per_second,
        cpu_us=cpu * 1e6 / answers,
        p50_ms=counted.latency.percentile_ms(50),
        p99_ms=counted.latency.percentile_ms(99),
        driver_busy=own / elapsed,
        violations=load.violations,
        store_us=None if store_cpu is None else store_cpu * 1e6 / answers,
    )


async def saturate(server: Started | Nodes, scripts: Sequence[Script], plan: Plan) -> Stretch:
    """Return the middle of the repeated closed loops; violations of all of them."""
    return middle([await measure(ClosedLoop(), server, scripts, plan) for _ in range(plan.repeats)])


async def at_half_load(
    server: Started | Nodes, scripts: Sequence[Script], plan: Plan, most_per_second: float
) -> Stretch:
    """Return the middle of the repeated open loops at half of what the server can do."""
    rate = max(1.0, most_per_second / 2)
    return middle([await measure(OpenLoop(rate), server, scripts, plan) for _ in range(plan.repeats)])


def middle(stretches: Sequence[Stretch]) -> Stretch:
    """Return the medians, each for itself, and the sum of the violations."""
    store_us = [one.store_us for one in stretches if one.store_us is not None]
    return Stretch(
        per_second=median(one.per_second for one in stretches),
        cpu_us=median(one.cpu_us for one in stretches),
        p50_ms=median(one.p50_ms for one in stretches),
        p99_ms=median(one.p99_ms for one in stretches),
        driver_busy=max(one.driver_busy for one in stretches),
        violations=sum((one.violations for one in stretches), Counter()),
        store_us=median(store_us) if store_us else None,
    )
