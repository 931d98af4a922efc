"""Login: random accounts with their right password. The hash decides; the aim is to add next to nothing to it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from random import Random

from msgspec import json

from bench.measure import saturate
from bench.processes import ROOT, Cores, Started
from bench.requests import post
from bench.rows import Aim, Row, row
from bench.scripts import Taking, must_contain
from bench.setting import Setting
from bench.site import CLIENT_ID, PASSWORD, Site, email_of

PATH = "/api/v1/auth/login"
# Enough to keep the one hash thread busy, few enough to stay in its queue.
USERS = 8


async def run(setting: Setting) -> list[Row]:
    return [await _row("login", setting, setting.server, setting.site)]


async def on_postgres(setting: Setting) -> list[Row]:
    engines = setting.engines
    site = await engines.site()
    with setting.serving(site, (engines.postgres,)) as server:
        return [await _row("login, PostgreSQL", setting, server, site)]


async def _row(name: str, setting: Setting, server: Started, site: Site) -> Row:
    alone = hash_alone(setting.cores, setting.plan.seconds)
    most = await saturate(server, logins(site), setting.plan)
    alone = (alone + hash_alone(setting.cores, setting.plan.seconds)) / 2
    return row(name, most, None, (Aim("hash_throughput", 0.96, most.per_second / alone),))


def logins(site: Site) -> list[Taking]:
    asked = _asked(site)
    return [Taking(asked, must_contain) for _ in range(USERS)]


def hash_alone(cores: Cores, seconds: float) -> float:
    """Return how many passwords the server's core verifies in a second when it does nothing else."""
    command = ["taskset", "-c", str(cores.server), sys.executable, "-m", "bench.hash_alone", str(seconds)]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)  # noqa: S603 - our own words


def _asked(site: Site) -> Iterator[tuple[bytes, bytes]]:
    # Accounts whose sessions are not in the refresh chains: a sixth login must not end one of those.
    accounts, random = site.cookie_sessions, Random(2)  # noqa: S311 - the same order in every run
    while True:
        email = email_of(random.choice(accounts))
        yield post(PATH, json.encode({"email": email, "password": PASSWORD, "client_id": CLIENT_ID})), email.encode()
