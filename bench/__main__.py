"""Run the benchmark.

    python -m bench            about six minutes; writes bench/results.json and the tables of the docs
    python -m bench --quick    the same rows in under a minute; writes bench/quick.json
    python -m bench --only refresh,login

Ends with 1 if a promise was broken while it ran. A missed aim is marked in the table and is no failure.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import uvloop
from msgspec import json

from bench import report
from bench.chains import PATH, chains
from bench.conditions import conditions
from bench.measure import FULL, OPEN_USERS, QUICK, SATURATING_USERS, Plan, at_half_load, saturate
from bench.processes import Cores, cores, free_port, started
from bench.requests import post
from bench.rows import Results, Row, against_bare, row
from bench.scenarios import ALL
from bench.scripts import Taking, must_contain
from bench.setting import Scenario, Setting, serving
from bench.site import CLIENT_ID, Site, seed
from bench.smtp_sink import smtp_sink
from sekisho.tokens.refresh_token import RefreshTokens

FOLDER = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the server.")
    parser.add_argument("--quick", action="store_true", help="the same rows in under a minute, less exact")
    parser.add_argument("--only", default="", help="scenarios by file name, comma separated")
    given = parser.parse_args()
    wanted = [one for one in ALL if not given.only or _name(one) in given.only.split(",")]

    have = cores()
    os.sched_setaffinity(0, {have.driver})
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".data-") as name:
        results = uvloop.run(_run(QUICK if given.quick else FULL, have, Path(name), wanted))

    sys.stdout.write("\n" + report.text(results))
    is_whole = not given.quick and not given.only
    report.write(results, FOLDER / ("results.json" if is_whole else "quick.json"))
    if is_whole:
        report.update_docs(results)
    return 1 if results.violated else 0


async def _run(plan: Plan, have: Cores, folder: Path, scenarios: list[Scenario]) -> Results:
    site = await seed(folder, plan.size)
    under = conditions(plan, have, site)
    own, tabs = chains(site, OPEN_USERS)
    found: dict[str, Row] = {}
    before = await _bare("bare handler, before", site, plan, have)
    async with smtp_sink() as smtp_port:
        with serving(site, smtp_port, have) as server:
            setting = Setting(plan, have, folder, site, server, smtp_port, own, tabs, found)
            for scenario in scenarios:
                begun = asyncio.get_running_loop().time()
                for one in await scenario(setting):
                    found[one.id] = one
                _tell(f"{_name(scenario)}: {asyncio.get_running_loop().time() - begun:.0f} s")
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


def _name(scenario: Scenario) -> str:
    return scenario.__module__.rpartition(".")[2]


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
