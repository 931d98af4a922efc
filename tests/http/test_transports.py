"""The three transports, held to DESIGN sections 5 and 8: what each gets, and what it never gets."""

from __future__ import annotations

import pytest

from http_site import EMAIL, Site

pytestmark = pytest.mark.anyio

USER_FIELDS = {"id", "email", "is_verified", "created_at", "name", "locale", "roles"}
SIGNED_IN = {
    "body": {"message", "access_token", "refresh_token", "token_type", "expires_in", "user"},
    "cookie": {"message", "access_token", "token_type", "expires_in", "user"},
    "session": {"message", "expires_in", "user"},
}


@pytest.mark.parametrize("transport", ["body", "cookie", "session"])
async def test_sign_up_and_login_answer_exactly_the_fields_of_their_transport(site: Site, transport: str) -> None:
    page = await site.browser().ready()

    signed_up = await page.sign_up(transport=transport)
    logged_in = await page.login(transport=transport)

    assert (signed_up.status_code, logged_in.status_code) == (201, 200)
    for answer in (signed_up, logged_in):
        assert set(answer.json()) == SIGNED_IN[transport]
        assert set(answer.json()["user"]) == USER_FIELDS
        assert answer.json()["user"]["email"] == EMAIL


async def test_a_body_sign_in_sets_no_cookie(site: Site) -> None:
    app = site.client()

    answer = await app.sign_up()

    assert "set-cookie" not in answer.headers


async def test_a_cookie_session_keeps_its_refresh_token_out_of_every_body(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie")

    refreshed = await page.post("auth/refresh")

    assert set(refreshed.json()) == {"access_token", "token_type", "expires_in"}
    assert "skr_" not in refreshed.text
    assert page.cookie_names() == {"sekisho-rt-web", "csrftoken", "sekisho-device"}


async def test_a_cookie_session_stays_one_when_its_token_is_sent_in_a_body(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie")
    token = page.inner.cookies["sekisho-rt-web"]

    refreshed = await site.client().post("auth/refresh", {"refresh_token": token, "client_id": "web"})

    assert refreshed.status_code == 200
    assert "refresh_token" not in refreshed.json()
    assert "sekisho-rt-web=skr_" in refreshed.headers["set-cookie"]


async def test_client_id_is_optional_for_the_refresh_cookie_and_only_its_app_part_counts(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie", client_id="web:device-one-of-this-person")

    without = await page.post("auth/refresh", {})
    other_device = await page.post("auth/refresh", {"client_id": "web:device-two-of-this-person"})

    assert (without.status_code, other_device.status_code) == (200, 200)


async def test_refresh_is_not_there_for_a_session_cookie(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")

    answer = await page.post("auth/refresh", {})

    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_error"
    assert answer.json()["details"] == {"transport": "not_available"}


async def test_a_session_cookie_opens_protected_calls_and_a_refresh_cookie_does_not(site: Site) -> None:
    with_session = await site.browser().ready()
    await with_session.sign_up(transport="session")
    with_refresh = await site.browser().ready()
    await with_refresh.sign_up("ren@example.com", transport="cookie")

    assert (await with_session.get("auth/session")).status_code == 200
    assert (await with_refresh.get("auth/session")).json()["error"] == "unauthorized"


async def test_an_authorization_header_wins_over_cookies_and_needs_no_csrf(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    other = site.client()
    pair = await other.signed_in("ren@example.com")

    answer = await page.call(
        "PUT", "user/profile", {"name": "Ren"}, authorization=f"Bearer {pair['access_token']}", x_csrftoken="wrong"
    )

    assert answer.status_code == 200
    assert answer.json()["email"] == "ren@example.com"


async def test_V3_3_1_cookies_are_host_bound_secure_and_http_only_behind_https(secure_site: Site) -> None:
    page = await secure_site.browser().ready()

    answer = await page.sign_up(transport="cookie")

    written = {line.partition("=")[0]: line for line in answer.headers.get_list("set-cookie")}
    refresh_cookie = written["__Host-sekisho-rt-web"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(refresh_cookie.split("; "))
    assert "Domain" not in refresh_cookie
    assert "HttpOnly" not in written["csrftoken"]
    assert "Secure" in written["csrftoken"]
    assert all(len(line) < 4096 for line in written.values())


async def test_two_apps_on_one_host_do_not_meet(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie", client_id="shop")
    await page.login(transport="cookie", client_id="admin")

    shop = await page.post("auth/refresh", {"client_id": "shop"})
    admin = await page.post("auth/refresh", {"client_id": "admin"})
    unnamed = await page.post("auth/refresh", {})
    stranger = await page.post("auth/refresh", {"client_id": "third"})

    assert (shop.status_code, admin.status_code) == (200, 200)
    assert unnamed.json()["details"] == {"client_id": "required"}
    assert stranger.json()["details"] == {"refresh_token": "required"}
    assert (await page.post("auth/refresh", {"client_id": "shop"})).status_code == 200


async def test_a_page_that_believes_in_another_session_is_told_and_nothing_ends(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie")

    changed = await page.post("auth/refresh", {}, x_sekisho_session="AAAAAAAAAAAAAAAAAAAAAA")
    after = await page.post("auth/refresh", {})

    assert (changed.status_code, changed.json()["error"]) == (409, "session_changed")
    assert after.status_code == 200


async def test_V7_2_4_signing_in_again_in_one_browser_ends_its_older_session(site: Site) -> None:
    page = await site.browser().ready()
    first = await page.sign_up(transport="cookie")
    old_token = first.json()["access_token"]

    second = await page.login(transport="cookie")

    sessions = (await page.get("auth/sessions", authorization=f"Bearer {second.json()['access_token']}")).json()
    assert len(sessions["sessions"]) == 1
    ended = await page.get("auth/session", authorization=f"Bearer {old_token}")
    assert ended.json()["error"] == "session_revoked"
