"""A second factor that is required, over HTTP: what the answers say and leave out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from http_site import EMAIL, Site, answer_to, enrolled, open_site
from sekisho.identifiers import parse_email
from sekisho.ports.changes import SetRoles

pytestmark = pytest.mark.anyio


@pytest.fixture
async def strict(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_site(tmp_path, SEKISHO_FACTORS__REQUIRED_ROLES="admin", SEKISHO_JWT__CLAIMS="roles") as opened:
        yield opened


async def promote(site: Site) -> None:
    store = site.edge.login.store
    account = await store.find_account_by_email(parse_email(EMAIL).key)
    assert account is not None
    await store.apply(SetRoles(account_id=account.id, roles=("admin", "editor")))


async def test_V6_3_3_the_first_time_is_by_mail_and_the_answers_leave_the_role_out_until_a_factor_is_there(
    strict: Site,
) -> None:
    client = strict.client()
    await client.signed_in()
    await promote(strict)
    asked = (await client.login()).json()
    assert (asked["status"], asked["methods"]) == ("second_factor_required", ["email"])
    sent = await client.post("auth/second-factor/send-code", {"challenge": asked["challenge"], "method": "email"})
    assert sent.status_code == 200
    entered = await client.post("auth/second-factor", answer_to(asked, await strict.code_for(EMAIL), "email"))
    pair = entered.json()
    assert (pair["user"]["roles"], pair["acr_required"]) == (["editor"], "aal2")
    client.auth = pair["access_token"]
    current = (await client.get("auth/session")).json()
    assert (current["user"]["roles"], current["session"]["acr_required"]) == (["editor"], "aal2")

    _, done = await enrolled(client)
    refreshed = await client.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "web"})
    assert "acr_required" not in refreshed.json()
    client.auth = refreshed.json()["access_token"]
    current = (await client.get("auth/session")).json()
    assert (current["user"]["roles"], "acr_required" in current["session"]) == (["admin", "editor"], False)
    kept = await client.call("DELETE", f"auth/factors/{done['factor']['id']}")
    assert (kept.status_code, kept.json()["error"]) == (409, "factor_required")


async def test_where_nothing_is_required_no_answer_speaks_of_it(site: Site) -> None:
    client = site.client()
    pair = await client.signed_in()
    assert "acr_required" not in pair
    assert "acr_required" not in (await client.get("auth/session")).json()["session"]
