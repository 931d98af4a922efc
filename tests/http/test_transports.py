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
    assert stranger.json()["error"] == "refresh_token_invalid"
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


async def test_a_page_whose_refresh_cookie_is_gone_is_told_that_it_is_signed_out(site: Site) -> None:
    page, app = await site.browser().ready(), site.client()

    gone = await page.post("auth/refresh", {"client_id": "web"})
    mistake = await app.post("auth/refresh", {"client_id": "web"})

    assert (gone.status_code, gone.json()["error"]) == (401, "refresh_token_invalid")
    assert (mistake.status_code, mistake.json()["details"]) == (400, {"refresh_token": "required"})


async def test_a_foreign_page_cannot_plant_a_session_by_a_refresh_token_in_the_body(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="cookie")
    body = {"refresh_token": page.inner.cookies["sekisho-rt-web"], "client_id": "web"}

    planted = await site.browser(origin="https://evil.example").post("auth/refresh", body)

    assert (planted.status_code, planted.json()["error"]) == (403, "csrf_failed")
    assert "sekisho-rt-web" not in str(planted.headers)


async def test_the_token_of_an_app_planted_in_the_refresh_cookie_comes_out_nowhere(site: Site) -> None:
    app = site.client()
    token = (await app.signed_in())["refresh_token"]
    page = await site.browser().ready()
    await page.login(transport="cookie")
    page.plant("sekisho-rt-web", token)
    value = (await page.get("auth/csrf")).json()["csrf_token"]

    answer = await page.post("auth/refresh", {}, x_csrftoken=value)

    assert answer.json()["error"] == "refresh_token_invalid"
    assert "skr_" not in answer.text


async def test_a_session_cookie_lasts_to_the_absolute_end_and_a_refresh_cookie_slides(site: Site) -> None:
    page, other = await site.browser().ready(), await site.browser().ready()

    session = await page.sign_up(transport="session")
    refresh = await other.sign_up("ren@example.com", transport="cookie")

    assert f"Max-Age={90 * 86400};" in next(c for c in session.headers.get_list("set-cookie") if "sekisho-s-" in c)
    assert f"Max-Age={30 * 86400};" in next(c for c in refresh.headers.get_list("set-cookie") if "sekisho-rt-" in c)


async def test_logging_out_by_token_takes_the_cookies_of_that_session_along(site: Site) -> None:
    page = await site.browser().ready()
    token = (await page.sign_up(transport="cookie")).json()["access_token"]

    await page.post("auth/logout", authorization=f"Bearer {token}")

    assert page.cookie_names() == {"sekisho-device"}


async def test_client_id_in_the_query_is_decoded(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session", client_id="web:0123456789abcdef")

    answer = await page.get("/api/v1/auth/session?client_id=web%3A0123456789abcdef")

    assert answer.status_code == 200
