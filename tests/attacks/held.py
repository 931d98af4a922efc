"""Everything that a client can come to hold, taken from real sign-ins, and the doors that take one such value."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx2

from http_site import EMAIL, PASSWORD, Client, Site

OTHER = "ren@example.com"


async def held_values(site: Site) -> dict[str, str]:
    """Return one live value of every kind, by name. The account is `EMAIL`; a sign-up of `OTHER` is pending."""
    app = site.client()
    pair = await app.signed_in()
    page = await site.browser().ready()
    pre_session, pre_csrf = page.inner.cookies["sekisho-pre"], page.inner.cookies["csrftoken"]
    await page.login(transport="session")
    session_id = (await page.get("auth/session")).json()["session"]["id"]
    sent = await app.post("auth/signup/send-code", {"email": OTHER, "password": PASSWORD, "client_id": "web"})
    return {
        "access_token": pair["access_token"],
        "refresh_token": pair["refresh_token"],
        "session_cookie": page.inner.cookies["sekisho-s-web"],
        "csrf": page.inner.cookies["csrftoken"],
        "csrf_before_sign_in": pre_csrf,
        "pre_session": pre_session,
        "device": page.inner.cookies["sekisho-device"],
        "session_id": session_id,
        "account_id": pair["user"]["id"],
        "pending": sent.json()["pending"],
        "code": await site.code_for(OTHER),
        "password": PASSWORD,
    }


Door = Callable[[Client, str, dict[str, str]], Awaitable[httpx2.Response]]


async def as_bearer(client: Client, value: str, _: dict[str, str]) -> httpx2.Response:
    return await client.get("auth/session", authorization=f"Bearer {value}")


async def as_session_cookie(client: Client, value: str, _: dict[str, str]) -> httpx2.Response:
    return await client.get("auth/session", cookie=f"sekisho-s-web={value}")


async def as_refresh_token(client: Client, value: str, _: dict[str, str]) -> httpx2.Response:
    return await client.post("auth/refresh", {"refresh_token": value, "client_id": "web"})


async def as_refresh_cookie(client: Client, value: str, _: dict[str, str]) -> httpx2.Response:
    return await client.post("auth/refresh", origin=client.site.public_origin, cookie=f"sekisho-rt-web={value}")


async def as_csrf(client: Client, value: str, held: dict[str, str]) -> httpx2.Response:
    return await client.call(
        "PUT",
        "user/profile",
        {"name": "Mallory"},
        origin=client.site.public_origin,
        cookie=f"sekisho-s-web={held['session_cookie']}; csrftoken={value}; sekisho-pre={held['pre_session']}",
        x_csrftoken=value,
    )


async def as_pending(client: Client, value: str, held: dict[str, str]) -> httpx2.Response:
    body = {"email": OTHER, "code": held["code"], "client_id": "web", "pending": value}
    return await client.post("auth/signup/verify-code", body)


async def as_code(client: Client, value: str, held: dict[str, str]) -> httpx2.Response:
    body = {"email": OTHER, "code": value, "client_id": "web", "pending": held["pending"]}
    return await client.post("auth/signup/verify-code", body)


async def as_password(client: Client, value: str, _: dict[str, str]) -> httpx2.Response:
    return await client.post("auth/login", {"email": EMAIL, "password": value, "client_id": "web"})


async def as_session_id(client: Client, value: str, held: dict[str, str]) -> httpx2.Response:
    path = f"auth/sessions/{value}"
    return await client.call("DELETE", path, None, authorization=f"Bearer {held['access_token']}")


DOORS: dict[str, Door] = {
    "bearer": as_bearer,
    "session_cookie": as_session_cookie,
    "refresh_token": as_refresh_token,
    "refresh_cookie": as_refresh_cookie,
    "csrf": as_csrf,
    "pending": as_pending,
    "code": as_code,
    "password": as_password,
    "session_id": as_session_id,
}
# The value that each door was made for; a refresh token is the same thing in a body and in a cookie.
KEYS = {
    "bearer": "access_token",
    "session_cookie": "session_cookie",
    "refresh_token": "refresh_token",
    "refresh_cookie": "refresh_token",
    "csrf": "csrf",
    "pending": "pending",
    "code": "code",
    "password": "password",
    "session_id": "session_id",
}
REFUSED = {
    "bearer": {"unauthorized"},
    "session_cookie": {"unauthorized"},
    "refresh_token": {"refresh_token_invalid"},
    "refresh_cookie": {"refresh_token_invalid"},
    "csrf": {"csrf_failed"},
    "pending": {"session_not_found", "validation_error", "rate_limit_exceeded"},
    "code": {"validation_error", "invalid_code"},
    "password": {"invalid_credentials", "validation_error"},
    "session_id": {"not_found"},
}
