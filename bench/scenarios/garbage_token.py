"""Garbage refresh tokens: of the right form and key id, forged in the rest, so that the MAC has to be computed.

That none of them touches the store is counted by SQLite itself, on a small site of our own in this process.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from secrets import token_bytes

from msgspec import json

from bench.chains import PATH
from bench.in_process import call, counting_statements, of_requests
from bench.measure import OPEN_USERS, SATURATING_USERS, at_half_load, saturate
from bench.requests import post
from bench.rows import Aim, Row, row
from bench.scripts import Taking
from bench.seeding import seed
from bench.setting import Setting
from bench.site import CLIENT_ID, Site
from sekisho.assemble import running
from sekisho.http.app import Application
from sekisho.rfc import base64url
from sekisho.settings import load
from sekisho.tokens.refresh_token import PREFIX, RefreshTokens

FORGED = 5000
COUNTED = 500
_HEAD_BYTES = 5
_REST_BYTES = 72


async def run(setting: Setting) -> list[Row]:
    asked = cycle([(post(PATH, body), b"") for body in forged_bodies(setting.site, FORGED)])
    users = [Taking(asked, _judge) for _ in range(OPEN_USERS)]
    most = await saturate(setting.server, users[:SATURATING_USERS], setting.plan)
    half = await at_half_load(setting.server, users, setting.plan, most.per_second)
    operations = await _store_operations(setting.folder)
    return [row("refresh, garbage token", most, half, (Aim("store_operations", 0, operations),))]


def forged_bodies(site: Site, count: int) -> Iterator[bytes]:
    """Yield refresh bodies whose tokens only the MAC gives away."""
    good = site.refresh_token(0, RefreshTokens(site.master())).removeprefix(PREFIX)
    head = base64url.decode(good, len(good))[:_HEAD_BYTES]
    for _ in range(count):
        token = PREFIX + base64url.encode(head + token_bytes(_REST_BYTES))
        yield json.encode({"refresh_token": token, "client_id": CLIENT_ID})


def _judge(_: bytes, status: int, body: bytes) -> str:
    return "" if status == 401 and b"refresh_token_invalid" in body else f"a forged token was answered with {status}"


async def _store_operations(folder: Path) -> float:
    """Return how many statements SQLite ran for `COUNTED` forged tokens.

    Raises:
        AssertionError: the counter does not even see a good refresh, so its 0 would mean nothing.
    """
    with tempfile.TemporaryDirectory(dir=folder) as name:
        site = await seed(Path(name), 20)
        with counting_statements() as statements:
            async with running(load("serve", site.environment(8080, 25), site.folder)) as edge:
                application = Application(edge)
                good = json.encode(
                    {"refresh_token": site.refresh_token(0, RefreshTokens(site.master())), "client_id": CLIENT_ID}
                )
                statements.clear()
                await call(application, PATH, good)
                seen = of_requests(statements)
                statements.clear()
                for body in forged_bodies(site, COUNTED):
                    await call(application, PATH, body)
                operations = of_requests(statements)
    assert seen > 0, "the counter of statements does not see a good refresh"
    return float(operations)
