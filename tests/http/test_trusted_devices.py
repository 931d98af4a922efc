"""Trusted devices over HTTP: what each transport carries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from http_site import EMAIL, PASSWORD, App, Client, Site, answer_to, enrolled, open_site

pytestmark = pytest.mark.anyio

COOKIE = "__Host-sekisho-td-web"


@pytest.fixture
async def trusting(tmp_path: Path) -> AsyncIterator[Site]:
    environ = {"SEKISHO_PUBLIC_URL": "https://auth.example.com", "SEKISHO_FACTORS__TRUSTED_DAYS": "30"}
    async with open_site(tmp_path, **environ) as opened:
        yield opened


async def owner(site: Site) -> tuple[Client, App]:
    client = site.client()
    await client.signed_in()
    app, _ = await enrolled(client)
    return client, app


async def login(client: Client, **given: Any) -> httpx2.Response:
    return await client.post("auth/login", {"email": EMAIL, "password": PASSWORD, "client_id": "web", **given})


async def test_over_body_the_value_stands_in_the_answer_once_and_is_sent_with_the_next_login(trusting: Site) -> None:
    client, app = await owner(trusting)
    asked = (await login(client)).json()
    assert asked["trust_days"] == 30
    answer = await client.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    value = answer.json()["device_token"]
    again = await login(client, device_token=value)
    assert "access_token" in again.json()
    assert "device_token" not in again.json()
    assert (await login(client)).json()["status"] == "second_factor_required"


@pytest.mark.parametrize("transport", ["cookie", "session"])
async def test_a_browser_gets_a_cookie_for_the_app_and_nothing_to_read(trusting: Site, transport: str) -> None:
    _, app = await owner(trusting)
    browser = await trusting.browser().ready()
    asked = (await login(browser, transport=transport)).json()
    answer = await browser.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))
    assert answer.status_code == 200, answer.text
    assert "device_token" not in answer.json()
    (written,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(COOKIE)]
    assert written.endswith("; Max-Age=2592000; Path=/; SameSite=Lax; HttpOnly; Secure")
    assert written.split("=")[1].split(";")[0] not in answer.text

    await browser.post("auth/logout", {})
    await browser.ready()
    spared = await login(browser, transport=transport)
    assert "user" in spared.json(), spared.text
    listed = (await browser.get("auth/trusted-devices")) if transport == "session" else None
    if listed is not None:
        (device,) = listed.json()["devices"]
        assert (device["app"], device["current"]) == ("web", True)
    other = await trusting.browser().ready()
    assert (await login(other, transport=transport)).json()["status"] == "second_factor_required"


async def test_the_list_and_its_end(trusting: Site) -> None:
    client, app = await owner(trusting)
    asked = (await login(client)).json()
    answer = await client.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))
    client.auth = answer.json()["access_token"]
    listed = await client.get("auth/trusted-devices")
    (device,) = listed.json()["devices"]
    assert set(device) == {"id", "app", "device", "created_at", "last_used_at", "expires_at", "current"}
    assert (await client.call("DELETE", f"auth/trusted-devices/{device['id']}")).status_code == 200
    gone = await client.call("DELETE", f"auth/trusted-devices/{device['id']}")
    assert (gone.status_code, gone.json()["error"]) == (404, "not_found")
    assert (await client.get("auth/trusted-devices")).json() == {"devices": []}
    asked = (await login(client, device_token=answer.json()["device_token"])).json()
    assert asked["status"] == "second_factor_required"


async def test_signing_out_everywhere_forgets_devices_where_it_is_asked_to(trusting: Site) -> None:
    client, app = await owner(trusting)
    asked = (await login(client)).json()
    answer = (await client.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))).json()
    client.auth = answer["access_token"]
    done = await client.post("auth/logout-all", {"forget_devices": True})
    assert done.status_code == 200
    assert (await login(client, device_token=answer["device_token"])).json()["status"] == "second_factor_required"


async def test_where_nothing_is_trusted_the_question_says_nothing_of_it_and_the_wish_is_refused(site: Site) -> None:
    client, app = await owner(site)
    asked = (await login(client)).json()
    assert "trust_days" not in asked
    refused = await client.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))
    assert (refused.status_code, refused.json()["error"]) == (400, "validation_error")
    assert list(refused.json()["details"]) == ["trust_device"]


@pytest.mark.parametrize("value", ["x" * 65, 7, None])
async def test_a_value_of_no_good_form_is_a_mistake_of_form(trusting: Site, value: Any) -> None:
    refused = await login(trusting.client(), device_token=value)
    assert (refused.status_code, refused.json()["error"]) == (400, "validation_error")


async def test_a_wrong_password_is_answered_alike_with_a_trusted_device(trusting: Site) -> None:
    client, app = await owner(trusting)
    asked = (await login(client)).json()
    answer = (await client.post("auth/second-factor", answer_to(asked, app.code(), trust_device=True))).json()
    given = {"password": "wrong password here", "device_token": answer["device_token"]}
    with_value, without = await login(client, **given), await login(client, password="wrong password here")
    assert (with_value.status_code, with_value.text) == (without.status_code, without.text)
