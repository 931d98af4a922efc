"""Compare a call with what it cost in an earlier version: both servers run side by side and are asked in turn.

    make bench-against REV=1a2b3c4                 refresh, this checkout against that commit
    make bench-against REV=1a2b3c4 CALL=who-am-i
    make bench-against REV=1a2b3c4 ENGINE=postgres    on PostgreSQL; ENGINE=redis: with Redis deciding rotations

Two runs of the benchmark cannot be compared where other programs share the machine: a noisy minute costs more than most
changes do. Neighbours in time can, so what counts is the median of the ratios of neighbours, and the range in which
that median lies in 95 of 100 resamplings. If 1.00 is inside the range, no difference was shown.

The earlier server runs with the libraries of this environment, on a database that its own code made. Both databases
are on one PostgreSQL server, and each version has a Redis of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median

import uvloop
from msgspec import Struct

from bench import stores
from bench.chains import Chains, chains, stored_violations
from bench.driver import ClosedLoop, Script
from bench.engines import new_database
from bench.measure import SATURATING_USERS, Plan, measure
from bench.processes import ROOT, Cores, Started, cores
from bench.scenarios.who_am_i import warm_bearers
from bench.scripts import Taking, must_contain
from bench.setting import serving
from bench.site import Site
from bench.smtp_sink import smtp_sink
from bench.versions import Place, python_path, seeded, unpacked

PLAN = Plan(size=20_000, warm_up_s=0.2, seconds=1.0, repeats=1, revocations=0)
RESAMPLINGS = 2_000
NEEDS = {"sqlite": set[str](), "postgres": {"PostgreSQL"}, "redis": {"PostgreSQL", "Redis"}}
"""The engines, each with the servers that it needs."""


class Side(Struct, frozen=True):
    site: Site
    server: Started
    scripts: Sequence[Script]


class Comparison(Struct, frozen=True):
    """ratio: CPU of now by CPU of then, the median of neighbours; it lies between low and high in 95 of 100
    resamplings. now_us, then_us: the medians of each."""

    now_us: float
    then_us: float
    ratio: float
    low: float
    high: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.against", description="Compare with an earlier version.")
    parser.add_argument("revision", help="a commit of this repository that has this benchmark, on that engine")
    parser.add_argument("--call", choices=("refresh", "who-am-i"), default="refresh")
    parser.add_argument("--engine", choices=tuple(NEEDS), default="sqlite")
    parser.add_argument("--rounds", type=int, default=30, help="of a second for each version")
    given = parser.parse_args()
    if missing := sorted(NEEDS[given.engine] & set(stores.missing())):
        parser.error(f"{' and '.join(missing)} not installed, see scripts/servers.sh")
    have = cores()
    os.sched_setaffinity(0, {have.driver})
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".data-") as name:
        return uvloop.run(_run(Path(name), given, have))


async def _run(folder: Path, given: argparse.Namespace, have: Cores) -> int:
    code = unpacked(given.revision, folder)
    with ExitStack() as stack:
        here, there = await _places(given.engine, have.stores, stack)
        now_site = seeded(ROOT, folder / "now", PLAN.size, here)
        then_site = seeded(code, folder / "then", PLAN.size, there)
        now_scripts, then_scripts = _scripts(now_site, given.call), _scripts(then_site, given.call)
        async with smtp_sink() as smtp_port:
            with (
                serving(now_site, smtp_port, have.server) as now_server,
                serving(then_site, smtp_port, have.server, code=python_path(code)) as then_server,
            ):
                now, then = Side(now_site, now_server, now_scripts), Side(then_site, then_server, then_scripts)
                pairs, broken = await _in_turn(now, then, given.rounds)
        # With Redis, the database knows every rotation once the server has been stopped.
        for site, scripts in ((now_site, now_scripts), (then_site, then_scripts)):
            broken += await stored_violations(site, [one for one in scripts if isinstance(one, Chains)])
    found = compare(pairs)
    sys.stdout.write(
        f"{given.call}, {given.engine}: {found.now_us:.1f} µs of CPU now, {found.then_us:.1f} in {given.revision}; "
        f"{found.ratio:.3f} of it ({found.low:.3f} to {found.high:.3f}, {given.rounds} rounds)\n"
    )
    for what, count in broken.items():
        sys.stdout.write(f"broken {count} times: {what}\n")
    return 1 if broken else 0


async def _places(engine: str, core: int, stack: ExitStack) -> tuple[Place, Place]:
    """Return where each version keeps its data, on servers that run until the stack is closed."""
    if engine == "sqlite":
        return Place(), Place()
    server = stack.enter_context(stores.postgres(core))
    urls = [await new_database(server, name) for name in ("now", "before")]
    redis_urls = [stack.enter_context(stores.redis(core)).redis_url if engine == "redis" else "" for _ in urls]
    here, there = (Place(*each) for each in zip(urls, redis_urls, strict=True))
    return here, there


def _scripts(site: Site, call: str) -> Sequence[Script]:
    if call == "refresh":
        return chains(site, SATURATING_USERS)[0]
    in_turn = cycle(warm_bearers(site))
    return [Taking(in_turn, must_contain) for _ in range(SATURATING_USERS)]


async def _in_turn(now: Side, then: Side, rounds: int) -> tuple[list[tuple[float, float]], Counter[str]]:
    """Return the CPU of each pair of neighbours, now first, and the promises that were broken."""
    pairs, broken = [], Counter[str]()
    for number in range(rounds):
        found = {}
        for side in (now, then) if number % 2 == 0 else (then, now):
            stretch = await measure(ClosedLoop(), side.server, side.scripts, PLAN)
            found[side.site.url] = stretch.cpu_us
            broken += stretch.violations
        pairs.append((found[now.site.url], found[then.site.url]))
        sys.stderr.write(f"\r{number + 1} of {rounds} rounds" + ("\n" if number + 1 == rounds else ""))
        sys.stderr.flush()
    return pairs, broken


def compare(pairs: Sequence[tuple[float, float]]) -> Comparison:
    """Return what pairs of neighbours say. Always the same for the same pairs."""
    ratios = [now / then for now, then in pairs]
    dice = Random(1)  # noqa: S311 - resampling
    medians = sorted(median(dice.choices(ratios, k=len(ratios))) for _ in range(RESAMPLINGS))
    return Comparison(
        now_us=median(now for now, _ in pairs),
        then_us=median(then for _, then in pairs),
        ratio=median(ratios),
        low=medians[RESAMPLINGS * 25 // 1000],
        high=medians[RESAMPLINGS * 975 // 1000 - 1],
    )


if __name__ == "__main__":
    sys.exit(main())
