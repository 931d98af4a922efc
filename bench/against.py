"""Compare a call with what it cost in an earlier version: both servers run side by side and are asked in turn.

    make bench-against REV=1a2b3c4                 refresh, this checkout against that commit
    make bench-against REV=1a2b3c4 CALL=who-am-i

Two runs of the benchmark cannot be compared where other programs share the machine: a noisy minute costs more than most
changes do. Neighbours in time can, so what counts is the median of the ratios of neighbours, and the range in which
that median lies in 95 of 100 resamplings. If 1.00 is inside the range, no difference was shown.

The earlier server runs with the libraries of this environment, on a database that its own code made.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from itertools import cycle
from pathlib import Path
from random import Random
from statistics import median

import uvloop
from msgspec import Struct, json, structs

from bench.chains import Chains, chains, stored_violations
from bench.driver import ClosedLoop, Script
from bench.measure import SATURATING_USERS, Plan, measure
from bench.processes import ROOT, Started, cores
from bench.scenarios.who_am_i import warm_bearers
from bench.scripts import Taking, must_contain
from bench.seeding import seed
from bench.setting import serving
from bench.site import Site
from bench.smtp_sink import smtp_sink
from sekisho.model import SigningKey

PLAN = Plan(size=20_000, warm_up_s=0.2, seconds=1.0, repeats=1, revocations=0)
RESAMPLINGS = 2_000

# Run by the earlier version's own code, in a process of its own.
_SEED_THERE = """
import asyncio, sys
from pathlib import Path
from msgspec import json
from bench.seeding import seed
site = asyncio.run(seed(Path(sys.argv[1]), int(sys.argv[2])))
there = {name: getattr(site, name) for name in ("url", "secret", "values", "accounts", "keys")}
sys.stdout.buffer.write(json.encode(there))
"""


class Seeded(Struct, frozen=True):
    """What the earlier version tells of its database."""

    url: str
    secret: str
    values: bytes
    accounts: list[str]
    keys: list[SigningKey]


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
    parser.add_argument("revision", help="a commit of this repository, from 2026-11-21 on")
    parser.add_argument("--call", choices=("refresh", "who-am-i"), default="refresh")
    parser.add_argument("--rounds", type=int, default=30, help="of a second for each version")
    given = parser.parse_args()
    have = cores()
    os.sched_setaffinity(0, {have.driver})
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent, prefix=".data-") as name:
        return uvloop.run(_run(Path(name), given.revision, given.call, given.rounds, have.server))


async def _run(folder: Path, revision: str, call: str, rounds: int, core: int) -> int:
    code = _unpack(revision, folder)
    (folder / "now").mkdir()
    (folder / "then").mkdir()
    now_site, then_site = await seed(folder / "now", PLAN.size), _seed_there(code, folder / "then")
    async with smtp_sink() as smtp_port:
        with (
            serving(now_site, smtp_port, core) as now_server,
            serving(then_site, smtp_port, core, code=f"{code / 'src'}:{code}") as then_server,
        ):
            now = Side(now_site, now_server, _scripts(now_site, call))
            then = Side(then_site, then_server, _scripts(then_site, call))
            pairs, broken = await _in_turn(now, then, rounds)
            for side in (now, then):
                broken += await stored_violations(side.site, [one for one in side.scripts if isinstance(one, Chains)])
    found = compare(pairs)
    sys.stdout.write(
        f"{call}: {found.now_us:.1f} µs of CPU now, {found.then_us:.1f} in {revision}; "
        f"{found.ratio:.3f} of it ({found.low:.3f} to {found.high:.3f}, {rounds} rounds)\n"
    )
    for what, count in broken.items():
        sys.stdout.write(f"broken {count} times: {what}\n")
    return 1 if broken else 0


def _unpack(revision: str, folder: Path) -> Path:
    """Lay the files of a version out and return their folder."""
    code = folder / "code"
    code.mkdir()
    packed = subprocess.run(  # noqa: S603 - our own words
        ["git", "archive", revision, "--", "src", "bench"],  # noqa: S607 - the developer's own git
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as files:
        files.extractall(code, filter="data")
    return code


def _seed_there(code: Path, folder: Path) -> Site:
    words = [sys.executable, "-c", _SEED_THERE, str(folder), str(PLAN.size)]
    paths = {"PYTHONPATH": f"{code / 'src'}:{code}"}
    told = subprocess.run(words, cwd=code, env=os.environ | paths, check=True, stdout=subprocess.PIPE)  # noqa: S603
    seeded = json.decode(told.stdout, type=Seeded)
    return Site(folder=folder, size=PLAN.size, seeded_s=0.0, **structs.asdict(seeded))


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
