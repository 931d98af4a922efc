"""A move at size: 100,000 accounts and their sessions to a server and back, cut off once; nobody is logged out."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from bench.seeding import seed
from bench.site import CLIENT_ID, Site

from live_server import environment, live_server, sekisho
from sekisho.tokens.refresh_token import RefreshTokens
from storage.fast_postgres import server as postgres

pytestmark = pytest.mark.heavy

ACCOUNTS = 100_000
ASKED = 100


@pytest.mark.timeout(1200)
def test_a_hundred_thousand_accounts_move_there_and_back_and_stay_signed_in(tmp_path: Path) -> None:
    site = asyncio.run(seed(tmp_path, ACCOUNTS))
    settings = site.environment(0, 25)
    del settings["SEKISHO_PORT"]
    name = f"many_{secrets.token_hex(4)}"
    postgres().sql(f"CREATE DATABASE {name}")
    there, back = postgres().url(name), f"sqlite:///{tmp_path / 'back.db'}"
    before = sha256(site.database_path.read_bytes()).digest()

    cut_off_among_the_sessions("--to", there, folder=tmp_path, **settings)
    closed = sekisho("key", "list", "--json", folder=tmp_path, **{**settings, "SEKISHO_DATABASE_URL": there})
    assert json.loads(closed.stderr)["error"] == "unfinished_move"
    tables = moved("--to", there, folder=tmp_path, **settings)

    assert (tables["accounts"]["rows"], tables["accounts"]["copied"]) == (ACCOUNTS, 0)
    assert tables["sessions"]["rows"] == ACCOUNTS
    assert 0 < tables["sessions"]["copied"] < ACCOUNTS
    assert sha256(site.database_path.read_bytes()).digest() == before
    for table, one in tables.items():
        assert int(postgres().sql(f"SELECT count(*) FROM {table}", name)) == one["rows"], table

    on_server = {**settings, "SEKISHO_DATABASE_URL": there}
    tokens = first_tokens(site)
    with live_server(tmp_path, "serve", **on_server) as server:
        tokens = [refreshed(server.url, token) for token in tokens]
    tables = moved("--to", back, folder=tmp_path, **on_server)
    assert (tables["sessions"]["rows"], tables["sessions"]["copied"]) == (ACCOUNTS, ACCOUNTS)
    with live_server(tmp_path, "serve", **{**settings, "SEKISHO_DATABASE_URL": back}) as server:
        for token in tokens:
            refreshed(server.url, token)


def cut_off_among_the_sessions(*words: str, folder: Path, **given: str) -> None:
    """Start a move and kill it as soon as it says that some of the sessions are there."""
    command = [sys.executable, "-m", "sekisho", "move", *words]
    with subprocess.Popen(command, cwd=folder, env=environment(**given), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if line.startswith("sessions: ") and not line.startswith("sessions: 0 "):
                process.kill()
                break
    assert process.returncode == -9, "".join(said)


def moved(*words: str, folder: Path, **given: str) -> Any:
    done = sekisho("move", *words, "--json", folder=folder, **given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tables"]


def first_tokens(site: Site) -> Sequence[str]:
    """Return the tokens of some clients, the first and the last among them."""
    every, minter = site.body_sessions, RefreshTokens(site.master())
    some = {every[0], every[-1], *Random(4).sample(every, ASKED)}
    return [site.refresh_token(index, minter) for index in sorted(some)]


def refreshed(url: str, token: str) -> str:
    answer = httpx2.post(f"{url}/api/v1/auth/refresh", json={"refresh_token": token, "client_id": CLIENT_ID})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["refresh_token"])
