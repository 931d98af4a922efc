"""`sekisho move`: from the file to a server and back, with every client still signed in."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx2
import pytest

from live_server import LiveServer, live_server, sekisho
from storage.fast_postgres import server as postgres

PERSON = {"email": "hanako@example.com", "password": "correct horse battery", "client_id": "app:0123456789abcdef"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    return {
        "SEKISHO_SECRET": secrets.token_urlsafe(48),
        "SEKISHO_PUBLIC_URL": "https://auth.example.com",
        "SEKISHO_DATABASE_URL": f"sqlite:///{tmp_path / 'sekisho.db'}",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_FROM": "no-reply@example.com",
    }


def empty_database() -> str:
    """Return the URL of a new database without tables."""
    name = f"moved_{secrets.token_hex(4)}"
    postgres().sql(f"CREATE DATABASE {name}")
    return postgres().url(name)


def told(*words: str, folder: Path, **given: str) -> Any:
    done = sekisho(*words, "--json", folder=folder, **given)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refreshed(server: LiveServer, pair: Any) -> Any:
    body = {"refresh_token": pair["refresh_token"], "client_id": PERSON["client_id"]}
    answer = httpx2.post(f"{server.url}/api/v1/auth/refresh", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_person_stays_signed_in_over_a_move_to_postgresql_and_back(tmp_path: Path, settings: dict[str, str]) -> None:
    there, back = empty_database(), f"sqlite:///{tmp_path / 'back.db'}"
    assert sekisho("migrate", folder=tmp_path, **settings).returncode == 0
    sekisho("user", "add", PERSON["email"], "--password-stdin", folder=tmp_path, said=PERSON["password"], **settings)
    with live_server(tmp_path, "serve", **settings) as server:
        pair = httpx2.post(f"{server.url}/api/v1/auth/login", json=PERSON).json()
        gone = httpx2.post(f"{server.url}/api/v1/auth/login", json=PERSON).json()
        logout = {"refresh_token": gone["refresh_token"], "client_id": PERSON["client_id"]}
        assert httpx2.post(f"{server.url}/api/v1/auth/logout", json=logout).status_code == 200
        pair = refreshed(server, pair)
        keys = httpx2.get(f"{server.url}/.well-known/jwks.json").json()
        in_use = sekisho("move", "--to", there, "--json", folder=tmp_path, **settings)
        assert json.loads(in_use.stderr)["error"] == "database_busy"

    plan = told("move", "--to", there, "--dry-run", folder=tmp_path, **settings)
    assert (plan["tables"]["accounts"], plan["tables"]["sessions"], plan["resumes"]) == (1, 2, False)
    moved = told("move", "--to", there, folder=tmp_path, **settings)
    assert {name: one["rows"] for name, one in moved["tables"].items()} == plan["tables"]
    assert "postgres" not in moved["target"]

    with live_server(tmp_path, "serve", **{**settings, "SEKISHO_DATABASE_URL": there}) as server:
        pair = refreshed(server, pair)
        assert httpx2.get(f"{server.url}/.well-known/jwks.json").json() == keys
        who = {"authorization": f"Bearer {gone['access_token']}"}
        assert httpx2.get(f"{server.url}/api/v1/auth/session", headers=who).json()["error"] == "session_revoked"
        in_use = sekisho("move", "--to", back, "--json", folder=tmp_path, **{**settings, "SEKISHO_DATABASE_URL": there})
        assert json.loads(in_use.stderr)["error"] == "database_in_use"

    told("move", "--to", back, folder=tmp_path, **{**settings, "SEKISHO_DATABASE_URL": there})
    with live_server(tmp_path, "serve", **{**settings, "SEKISHO_DATABASE_URL": back}) as server:
        pair = refreshed(server, pair)
    again = sekisho("move", "--to", back, "--json", folder=tmp_path, **settings)
    assert json.loads(again.stderr)["error"] == "target_not_empty"


def test_a_target_that_cannot_be_is_told_in_one_line(tmp_path: Path, settings: dict[str, str]) -> None:
    assert sekisho("migrate", folder=tmp_path, **settings).returncode == 0
    for to, error in (
        ("postgresql://nobody", "settings"),
        (settings["SEKISHO_DATABASE_URL"], "same_database"),
        ("postgresql://sekisho@127.0.0.1:1/sekisho", "server_not_there"),
        (postgres().url("nowhere"), "no_such_database"),
    ):
        done = sekisho("move", "--to", to, "--json", folder=tmp_path, **settings)
        assert done.returncode == 1
        assert json.loads(done.stderr)["error"] == error, (to, done.stderr)
