"""The backup of PostgreSQL as the documents tell it: their own commands, run; nothing that ended lives again."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest

from live_server import LiveServer, live_server, sekisho
from postgres_server import USER, binary
from storage.fast_postgres import server as postgres

PAGES = Path(__file__).resolve().parents[2] / "docs"
PERSON = {"email": "hanako@mail.test", "password": "eleven quiet lanterns", "client_id": "web"}
SETTINGS = {
    "SEKISHO_SECRET": "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE",
    "SEKISHO_PUBLIC_URL": "https://auth.mail.test",
    "SEKISHO_MAIL__HOST": "127.0.0.1",
    "SEKISHO_MAIL__FROM": "no-reply@mail.test",
}


def told(page: str, program: str) -> list[str]:
    """Return the words of the one command of this program on a page."""
    text = (PAGES / page).read_text(encoding="utf-8")
    (command,) = re.findall(rf"(?:^|`)({program} [^`\n]+)", text, re.MULTILINE)
    return shlex.split(command)


def run(words: list[str], folder: Path) -> None:
    done = subprocess.run(
        [binary(words[0]), *words[1:]],
        cwd=folder,
        env={**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(postgres().port), "PGUSER": USER},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def ask(server: LiveServer, path: str, **body: str) -> tuple[int, Any]:
    answer = httpx2.post(f"{server.url}/api/v1/auth/{path}", json={"client_id": PERSON["client_id"], **body})
    return answer.status_code, answer.json()


@pytest.mark.parametrize("program", ["pg_dump", "pg_restore"])
def test_both_languages_tell_the_same_commands(program: str) -> None:
    assert told("how-to/postgresql.md", program) == told("ja/how-to/postgresql.md", program)


def test_FS_24_after_pg_restore_and_sekisho_restore_nothing_that_ended_lives_again(tmp_path: Path) -> None:
    settings = {**SETTINGS, "SEKISHO_DATABASE_URL": postgres().url("sekisho")}
    postgres().sql("DROP DATABASE IF EXISTS sekisho")
    postgres().sql("CREATE DATABASE sekisho")
    assert sekisho("migrate", folder=tmp_path, **settings).returncode == 0
    added = sekisho(
        "user", "add", PERSON["email"], "--password-stdin", folder=tmp_path, said=PERSON["password"], **settings
    )
    assert added.returncode == 0, added.stderr

    with live_server(tmp_path, "serve", **settings) as server:
        _, ended = ask(server, "login", **PERSON)
        _, left = ask(server, "login", **PERSON)
        keys = httpx2.get(f"{server.url}/.well-known/jwks.json").json()
        run(told("how-to/postgresql.md", "pg_dump"), tmp_path)
        assert ask(server, "logout", refresh_token=ended["refresh_token"])[0] == 200
        _, left = ask(server, "refresh", refresh_token=left["refresh_token"])

    postgres().sql("DROP DATABASE sekisho")
    postgres().sql("CREATE DATABASE sekisho")
    run(told("how-to/postgresql.md", "pg_restore"), tmp_path)
    restored = sekisho("restore", "--json", folder=tmp_path, **settings)
    assert restored.returncode == 0, restored.stderr
    assert json.loads(restored.stdout)["ended"] == 2

    with live_server(tmp_path, "serve", **settings) as server:
        for pair in (ended, left):
            status, answer = ask(server, "refresh", refresh_token=pair["refresh_token"])
            assert (status, answer["error"]) == (401, "refresh_token_invalid")
            who = {"authorization": f"Bearer {pair['access_token']}"}
            assert httpx2.get(f"{server.url}/api/v1/auth/session", headers=who).status_code == 401
        now = httpx2.get(f"{server.url}/.well-known/jwks.json").json()
        assert ask(server, "login", **PERSON)[0] == 200
    assert {key["kid"] for key in now["keys"]} - {key["kid"] for key in keys["keys"]}
