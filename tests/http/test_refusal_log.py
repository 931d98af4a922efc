"""The operator's log of refusals: suspicious ones, bounded under a flood, without secrets."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from http_site import EMAIL, Site

pytestmark = pytest.mark.anyio


async def test_V16_3_3_a_limit_that_is_hit_is_logged_once_a_second_with_a_count(site: Site) -> None:
    app = site.client()
    await app.sign_up()
    for _ in range(5):
        await app.login(password="wrong password!")

    with capture_logs() as lines:
        for _ in range(20):
            assert (await app.login(password="wrong password!")).status_code == 429

    refused = [line for line in lines if line.get("code") == "rate_limit_exceeded"]
    assert len(refused) == 1
    assert (refused[0]["route"], refused[0]["ip"]) == ("/api/v1/auth/login", "203.0.113.7")


async def test_V16_3_2_a_forged_cross_site_call_is_logged(site: Site) -> None:
    browser = await site.browser().ready()
    assert (await browser.sign_up(transport="session")).status_code == 201
    with capture_logs() as lines:
        refused = await browser.call("POST", "auth/logout", {}, origin="https://evil.example")
    assert refused.json()["error"] == "csrf_failed"
    (line,) = [line for line in lines if line.get("code") == "csrf_failed"]
    assert (line["log_level"], line["route"], line["ip"]) == ("warning", "/api/v1/auth/logout", "203.0.113.7")


async def test_V16_2_5_no_log_line_of_a_journey_holds_a_secret_or_an_address(site: Site) -> None:
    with capture_logs() as lines:
        app = site.client()
        pair = await app.signed_in()
        code = await site.code_for(EMAIL)
        for _ in range(6):
            await app.login(password="wrong password!")
        await app.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "shop"})

    text = str(lines)
    assert "client_id_mismatch" in text
    for secret in (pair["refresh_token"], pair["access_token"], code, EMAIL, "wrong password!"):
        assert secret not in text
