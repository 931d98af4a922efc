"""The recovery address over HTTP: the owner's, and nobody else's."""

from __future__ import annotations

import pytest

from http_site import EMAIL, PASSWORD, Site

pytestmark = pytest.mark.anyio

SECOND = "hana.home@example.org"
PATH = "user/recovery-email"


async def test_N_23_it_is_set_shown_and_removed(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    assert (await client.get(PATH)).json() == {"email": None, "verified_at": None}

    sent = await client.post(f"{PATH}/send-code", {"email": SECOND, "password": PASSWORD})
    assert sent.status_code == 200
    assert (sent.json()["email"], sent.json()["expires_in"]) == (SECOND, 600)
    taken = await client.post(f"{PATH}/verify-code", {"email": SECOND, "code": await site.code_for(SECOND)})
    assert taken.status_code == 200
    assert taken.json()["email"] == SECOND
    assert (await client.get(PATH)).json() == taken.json()
    assert (await client.get(PATH)).headers["cache-control"] == "no-store"

    removed = await client.call("DELETE", PATH)
    assert removed.status_code == 200
    assert (await client.get(PATH)).json()["email"] is None
    again = await client.call("DELETE", PATH)
    assert (again.status_code, again.json()["error"]) == (404, "not_found")


async def test_N_23_a_password_reset_s_code_comes_there_too(site: Site) -> None:
    client = site.client()
    await client.signed_in()
    await client.post(f"{PATH}/send-code", {"email": SECOND, "password": PASSWORD})
    await client.post(f"{PATH}/verify-code", {"email": SECOND, "code": await site.code_for(SECOND)})

    stranger = site.client()
    await stranger.post("auth/password-reset/send-code", {"email": EMAIL})
    code = await site.code_for(SECOND)
    allowed = await stranger.post("auth/password-reset/verify-code", {"email": EMAIL, "code": code})
    assert allowed.status_code == 200
    new = {"reset_token": allowed.json()["reset_token"], "password": "thirteen loud crickets"}
    assert (await stranger.post("auth/password-reset/complete", new)).status_code == 200
    assert (await stranger.login(password="thirteen loud crickets")).status_code == 200


async def test_N_23_without_a_session_there_is_nothing_to_see_or_change(site: Site) -> None:
    client = site.client()
    body = {"email": SECOND, "password": PASSWORD}
    for answer in (
        await client.get(PATH),
        await client.post(f"{PATH}/send-code", body),
        await client.post(f"{PATH}/verify-code", {"email": SECOND, "code": "123456"}),
        await client.call("DELETE", PATH),
    ):
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


async def test_by_session_cookie_changes_want_the_csrf_value(site: Site) -> None:
    browser = await site.browser().ready()
    assert (await browser.sign_up(transport="session")).status_code == 201
    refused = await browser.call("DELETE", PATH, x_csrftoken="another")
    assert (refused.status_code, refused.json()["error"]) == (403, "csrf_failed")
    sent = await browser.post(f"{PATH}/send-code", {"email": SECOND, "password": PASSWORD})
    assert sent.status_code == 200


@pytest.mark.parametrize(
    ("email", "reason"), [(EMAIL, "own_address"), ("nobody", "invalid_email"), ("a" * 300, "too_long")]
)
async def test_what_is_no_second_address_is_refused_with_its_reason(site: Site, email: str, reason: str) -> None:
    client = site.client()
    await client.signed_in()
    refused = await client.post(f"{PATH}/send-code", {"email": email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["details"]) == (400, {"email": reason})
