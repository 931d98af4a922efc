"""Run the benchmark.

    python -m bench            about twelve minutes; writes bench/results.json and the tables of the docs
    python -m bench --quick    most rows in about a minute; writes bench/quick.json
    python -m bench --only refresh,login.on_postgres

PostgreSQL and Redis are started for the run. Rows that need what is not installed are left out, and the run says so.
Ends with 1 if a promise was broken while it ran. A missed aim is marked in the table and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import structlog
import uvloop
from msgspec import json

from bench import report, scale, stores
from bench.chains import PATH, chains
from bench.conditions import conditions
from bench.engines import Engines
from bench.measure import FULL, OPEN_USERS, QUICK, SATURATING_USERS, Plan, at_half_load, saturate
from bench.processes import Cores, cores, free_port, started
from bench.requests import post
from bench.rows import Results, Row, against_bare, row
from bench.scenarios import ALL, NEEDS, SLOW, name_of
from bench.scripts import Taking, must_contain
from bench.seeding import seed
from bench.setting import Scenario, Setting, serving
from bench.site import CLIENT_ID, Site
from bench.smtp_sink import smtp_sink
from sekisho.tokens.refresh_token import RefreshTokens

FOLDER = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the server.")
    parser.add_argument("--quick", action="store_true", help="most rows in about a minute, less exact")
    parser.add_argument("--only", default="", help="scenarios by file and function, comma separated")
    given = parser.parse_args()
    # Some scenarios run the server in this process: its lines would stand between ours.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    missing = stores.missing()
    asked = [one for one in ALL if _is_asked(one, given.only.split(",") if given.only else [], quick=given.quick)]
    wanted = [one for one in asked if not set(NEEDS.get(one, ())) & set(missing)]
    left_out = _left_out(asked, wanted, missing, quick=given.quick and not given.only)
    if left_out:
        _tell(f"left out: {left_out}")

    have = cores()
    os.sched_setaffinity(0, {have.driver})
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".data-") as name:
        results = uvloop.run(_run(QUICK if given.quick else FULL, have, Path(name), wanted, left_out))

    sys.stdout.write("\n" + report.text(results))
    is_whole = not given.quick and not given.only
    report.write(results, FOLDER / ("results.json" if is_whole else "quick.json"))
    if is_whole:
        report.update_docs(results)
        if not missing:
            scale.update_docs()
    return 1 if results.violated else 0


async def _run(plan: Plan, have: Cores, folder: Path, scenarios: list[Scenario], left_out: str) -> Results:
    site = await seed(folder, plan.size)
    under = conditions(plan, have, site) | ({"left out": left_out} if left_out else {})
    own, tabs = chains(site, OPEN_USERS)
    found: dict[str, Row] = {}
    before = await _bare("bare handler, before", site, plan, have)
    async with smtp_sink() as smtp_port:
        with serving(site, smtp_port, have.server) as server, Engines(folder, have.stores, plan.size) as engines:
            setting = Setting(plan, have, folder, site, server, smtp_port, own, tabs, found, engines)
            for scenario in scenarios:
                begun = asyncio.get_running_loop().time()
                for one in await scenario(setting):
                    found[one.id] = one
                _tell(f"{name_of(scenario)}: {asyncio.get_running_loop().time() - begun:.0f} s")
    after = await _bare("bare handler, after", site, plan, have)
    return Results(
        taken_at=datetime.now(UTC).date().isoformat(),
        plan="full" if plan is FULL else "quick",
        conditions=under,
        rows=tuple(against_bare([before, *found.values(), after], [before, after])),
    )


async def _bare(name: str, site: Site, plan: Plan, have: Cores) -> Row:
    """Ask the bare handler what a refresh asks the server, header for header."""
    token = site.refresh_token(0, RefreshTokens(site.master()))
    request = post(PATH, json.encode({"refresh_token": token, "client_id": CLIENT_ID}))
    same = cycle([(request, CLIENT_ID.encode())])
    users = [Taking(same, must_contain) for _ in range(OPEN_USERS)]
    port = free_port()
    with started(["bench.bare", str(port)], port, site.folder, have.server, {}, request) as server:
        most = await saturate(server, users[:SATURATING_USERS], plan)
        half = await at_half_load(server, users, plan, most.per_second)
    return row(name, most, half)


def _is_asked(scenario: Scenario, only: list[str], *, quick: bool) -> bool:
    """By its own name or that of its file; without any name everything, in a quick run without what is slow."""
    if only:
        return name_of(scenario) in only or name_of(scenario).partition(".")[0] in only
    return not (quick and scenario in SLOW)


def _left_out(asked: list[Scenario], wanted: list[Scenario], missing: list[str], *, quick: bool) -> str:
    """Return in one line which scenarios do not run, and why."""
    reasons = []
    if unable := [name_of(one) for one in asked if one not in wanted]:
        reasons.append(f"{', '.join(unable)} ({' and '.join(missing)} not installed, see scripts/servers.sh)")
    if quick:
        reasons.append(f"{', '.join(sorted(name_of(one) for one in SLOW))} (quick run)")
    return "; ".join(reasons)


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
