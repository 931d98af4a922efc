"""CSRF for the cookie transports: source and value, bound to the session, changed at sign-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from http_site import EMAIL, PASSWORD, Site, open_site
from sekisho.http.csrf_values import is_allowed_origin, is_good_source

pytestmark = pytest.mark.anyio

LOGIN = {"email": EMAIL, "password": PASSWORD, "client_id": "web", "transport": "cookie"}


async def test_V3_5_1_a_login_by_cookie_without_a_value_is_refused_and_given_one(site: Site) -> None:
    page = site.browser()
    await site.client().sign_up()

    refused = await page.post("auth/login", LOGIN)
    fresh = refused.json()["details"]["csrf_token"]
    repeated = await page.post("auth/login", LOGIN, x_csrftoken=fresh)

    assert (refused.status_code, refused.json()["error"]) == (403, "csrf_failed")
    assert page.inner.cookies["csrftoken"] != fresh
    assert repeated.status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "https://localhost:x"]
)
async def test_a_foreign_origin_is_refused_even_with_a_good_value(secure_site: Site, origin: str) -> None:
    page = await secure_site.browser().ready()
    await page.sign_up(transport="session")

    answer = await page.call("PUT", "user/profile", {"name": "x"}, origin=origin)

    assert answer.json()["error"] == "csrf_failed"


async def test_without_origin_the_fetch_site_decides(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    token, cookies = page.inner.cookies["csrftoken"], dict(page.inner.cookies)
    plain = site.client()
    plain.inner.cookies.update(cookies)

    same = await plain.call("PUT", "user/profile", {"name": "a"}, x_csrftoken=token, sec_fetch_site="same-origin")
    cross = await plain.call("PUT", "user/profile", {"name": "b"}, x_csrftoken=token, sec_fetch_site="cross-site")
    nothing = await plain.call("PUT", "user/profile", {"name": "c"}, x_csrftoken=token)

    assert [answer.status_code for answer in (same, cross, nothing)] == [200, 403, 403]


async def test_V7_2_4_the_value_from_before_sign_in_is_dead_afterwards(site: Site) -> None:
    page = await site.browser().ready()
    before = page.inner.cookies["csrftoken"]
    await page.sign_up(transport="session")
    after = page.inner.cookies["csrftoken"]

    page.plant("csrftoken", before)
    old = await page.call("PUT", "user/profile", {"name": "a"}, x_csrftoken=before)

    assert before != after
    assert old.status_code == 403


async def test_a_value_of_another_session_is_refused(site: Site) -> None:
    page, other = await site.browser().ready(), await site.browser().ready()
    await page.sign_up(transport="session")
    await other.sign_up("ren@example.com", transport="session")
    foreign = other.inner.cookies["csrftoken"]

    page.plant("csrftoken", foreign)
    answer = await page.call("PUT", "user/profile", {"name": "a"}, x_csrftoken=foreign)

    assert answer.status_code == 403


async def test_every_unsafe_call_by_session_cookie_needs_the_value(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    calls = [
        ("PUT", "user/profile", {"name": "x"}),
        ("DELETE", "user/account", {"password": PASSWORD}),
        ("DELETE", "auth/sessions/AAAAAAAAAAAAAAAAAAAAAA", None),
        ("POST", "auth/logout", None),
        ("POST", "auth/logout-all", None),
        ("POST", "auth/sessions/logout-all", None),
    ]

    answers = [await page.call(method, path, body, x_csrftoken="") for method, path, body in calls]

    assert [answer.json()["error"] for answer in answers] == ["csrf_failed"] * len(calls)
    assert (await page.get("auth/session")).status_code == 200


async def test_the_value_stays_the_same_for_other_tabs_while_it_is_good(site: Site) -> None:
    page = await site.browser().ready()
    await page.sign_up(transport="session")
    held = page.inner.cookies["csrftoken"]

    answer = await page.get("auth/csrf")

    assert answer.json() == {"csrf_token": held}


async def test_names_of_cookie_and_header_are_settings(tmp_path: Path) -> None:
    async with open_site(tmp_path, SEKISHO_CSRF__COOKIE_NAME="xsrf", SEKISHO_CSRF__HEADER_NAME="X-XSRF") as site:
        page = site.browser()
        value = (await page.get("auth/csrf")).json()["csrf_token"]
        await site.client().sign_up()

        answer = await page.post("auth/login", LOGIN, x_xsrf=value)

        assert page.inner.cookies["xsrf"] != value
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("http://127.0.0.1:5173", True),
        ("http://[::1]:80", True),
        ("http://localhost", True),
        ("http://localhost.evil.example", False),
        ("http://localhost:80a", False),
        ("http://localhost:", False),
        ("null", False),
        ("", False),
    ],
)
def test_any_localhost_means_localhost_only(origin: str, allowed: bool) -> None:
    found = is_allowed_origin(origin, public_origin="http://auth.test", allowed=frozenset(), any_localhost=True)

    assert found is (allowed and not origin.endswith(":"))


def test_V3_4_2_an_origin_must_match_exactly() -> None:
    def good(origin: str) -> bool:
        return is_good_source(
            origin,
            None,
            public_origin="https://auth.example.com",
            allowed=frozenset({"https://app.example.com"}),
            any_localhost=False,
        )

    assert good("https://auth.example.com")
    assert good("https://app.example.com")
    for bad in ("https://evil-app.example.com", "https://app.example.com.evil", "http://app.example.com", "null", "*"):
        assert not good(bad)
