"""The same interface with everything in PostgreSQL: a whole journey, and what that database would choke on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import EMAIL, PASSWORD, Site, open_site
from storage.fast_postgres import new_database

pytestmark = pytest.mark.anyio


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    database = await asyncio.to_thread(new_database)
    given = {"SEKISHO_PASSWORD__HASH": "low_memory", "SEKISHO_DATABASE_URL": database.url}
    async with open_site(tmp_path, **given) as opened:
        yield opened


async def test_a_person_signs_up_refreshes_ends_a_session_and_leaves(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    body = {"refresh_token": pair["refresh_token"], "client_id": "web"}
    successors = {(await app.post("auth/refresh", body)).json()["refresh_token"] for _ in range(3)}
    assert len(successors) == 1

    other = site.client()
    await other.post("auth/login", {"email": EMAIL, "password": PASSWORD, "client_id": "web"})
    listed = (await app.get("auth/sessions")).json()["sessions"]
    assert [one["current"] for one in listed].count(True) == 1
    another = next(one["id"] for one in listed if not one["current"])
    assert (await app.call("DELETE", f"auth/sessions/{another}")).status_code == 200
    assert len((await app.get("auth/sessions")).json()["sessions"]) == 1

    assert (await app.call("DELETE", "user/account", {"password": PASSWORD})).status_code == 200
    assert (await app.get("auth/session")).json()["error"] == "session_revoked"


async def test_a_character_that_the_database_refuses_is_a_name_that_nobody_has(site: Site) -> None:
    app = site.client()
    await app.signed_in()
    assert (await app.call("DELETE", "auth/sessions/a%00b")).json()["error"] == "not_found"
    for call in ("verify-code", "resend-code"):
        body = {"email": "new@example.com", "client_id": "web", "pending": "a\0b"}
        body |= {"code": "123456"} if call == "verify-code" else {}
        assert (await app.post(f"auth/signup/{call}", body)).json()["error"] == "session_not_found"
