"""Every route against every method, every caller and every stranger."""

from __future__ import annotations

from pathlib import Path

import pytest

from attacks.support import rows, told
from http_site import Site
from sekisho.http.routes import ANY_CREDENTIAL, ANYBODY, DEV_ROUTES, GUARD, ROUTES, SESSION, TOKEN_OR_COOKIE

pytestmark = pytest.mark.anyio

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND")
EVERY = (*ROUTES, *DEV_ROUTES)
PATHS = sorted({route.path for route in EVERY})
UNKNOWN_SESSION = "AAAAAAAAAAAAAAAAAAAAAA"


def concrete(path: str) -> str:
    return path.replace("{id}", UNKNOWN_SESSION)


async def test_V4_1_4_V13_4_4_only_the_methods_of_the_table_are_served(site: Site, tmp_path: Path) -> None:
    before = rows(tmp_path)

    for path in PATHS:
        served = {route.method for route in EVERY if route.path == path}
        for method in set(ALL_METHODS) - served - ({"HEAD"} if "GET" in served else set()):
            answer = await site.client().inner.request(method, concrete(path))
            assert answer.status_code == 405, (method, path)
            assert served <= set(answer.headers["allow"].split(", ")), (method, path)

    assert rows(tmp_path) == before


async def test_V8_2_1_V8_3_1_every_route_asks_who_is_calling(site: Site) -> None:
    for route in EVERY:
        body = {} if route.body is not None else None
        anonymous = await site.client().inner.request(route.method, concrete(route.path), json=body)

        if route.callers in (SESSION, GUARD):
            code = "invalid_client" if route.is_oauth else "unauthorized"
            assert told(anonymous) == (401, code), route.path
            continue
        assert route.callers in (ANYBODY, TOKEN_OR_COOKIE, ANY_CREDENTIAL)
        assert anonymous.status_code in (200, 400) or route.path == "/metrics", route.path
        assert "access_token" not in anonymous.text or "description" in anonymous.text, route.path


BODIES_WITH_IDS = {
    "/api/v1/auth/factors/{id}": {"PUT": {"name": "mine"}},
    "/api/v1/auth/factors/{id}/confirm": {"POST": {"code": "123456"}},
}


async def test_V8_2_2_of_two_accounts_neither_reaches_the_other_by_any_id(site: Site, tmp_path: Path) -> None:
    mine, theirs = site.client(), site.client()
    await mine.signed_in("hana@example.com")
    their_pair = await theirs.signed_in("ren@example.com")
    their_session = (await theirs.get("auth/session")).json()["session"]["id"]
    before = rows(tmp_path)

    with_ids = [route for route in ROUTES if "{" in route.path]
    for route in with_ids:
        body = BODIES_WITH_IDS.get(route.path, {}).get(route.method)
        answers = [
            await mine.call(route.method, route.path.replace("{id}", value), body)
            for value in (their_session, their_pair["user"]["id"], UNKNOWN_SESSION, "..%2f..", "1' OR '1'='1", "\u0130")
        ]
        assert {told(answer) for answer in answers} == {(404, "not_found")}
        assert len({answer.content for answer in answers}) == 1

    paths = {"/api/v1/auth/sessions/{id}", "/api/v1/auth/factors/{id}", "/api/v1/auth/factors/{id}/confirm"}
    paths.add("/api/v1/auth/trusted-devices/{id}")
    assert {route.path for route in with_ids} == paths
    assert rows(tmp_path) == before
    assert (await theirs.get("auth/session")).status_code == 200
    assert their_session not in (await mine.get("auth/sessions")).text


async def test_V3_5_3_V7_6_2_no_get_changes_a_row(site: Site, tmp_path: Path) -> None:
    app = site.client()
    await app.signed_in()
    page = await site.browser().ready()
    await page.login(transport="session")
    before = rows(tmp_path, without=frozenset())

    query = "?email=a@example.com&password=long+enough+1&code=123456&token=x&action=logout&_method=DELETE"
    for path in PATHS:
        for caller in (site.client(), app, page):
            for method in ("GET", "HEAD"):
                await caller.inner.request(
                    method,
                    concrete(path) + query,
                    headers={"authorization": f"Bearer {app.auth}"} if caller is app else {},
                )

    assert rows(tmp_path, without=frozenset()) == before


async def test_V14_2_5_a_private_answer_is_never_found_under_a_cacheable_name(site: Site) -> None:
    app = site.client()
    await app.signed_in()

    for tail in ("/x.css", ".css", ";x.js", "%2fx.png", "/", "//", "/..", "%0ax.css", "\u2028.css"):
        for path in ("user/profile", "auth/session", "auth/sessions", "auth/csrf"):
            answer = await app.get(f"/api/v1/{path}{tail}")
            assert answer.status_code in (404, 405), path + tail
            assert answer.headers["cache-control"] == "no-store"


def test_V4_3_1_V4_4_1_V6_8_3_V3_5_6_V6_4_2_what_is_not_offered_has_no_route() -> None:
    words = ("graphql", "ws", "socket", "saml", "jsonp", "callback", "hint", "question", "admin", "debug", "upload")
    assert [path for path in PATHS for word in words if word in path.lower()] == []


async def test_V4_4_1_a_websocket_handshake_is_closed(site: Site) -> None:
    sent = []

    async def receive() -> dict[str, str]:
        return {"type": "websocket.connect"}

    async def send(message: object) -> None:
        sent.append(message)

    await site.app({"type": "websocket", "path": "/api/v1/auth/session", "headers": []}, receive, send)

    assert [message["type"] for message in sent] == ["websocket.close"]  # type: ignore[index]


async def test_V15_3_1_V14_2_6_no_answer_holds_what_only_the_server_needs(site: Site) -> None:
    app = site.client()
    answers = [await app.sign_up()]
    app.auth = answers[0].json()["access_token"]
    answers += [await app.get(path) for path in ("auth/session", "auth/sessions", "user/profile", "/openapi.json")]

    for answer in answers:
        for word in ("argon2", "password_hash", "secret_hash", "security_version", "email_key", "user_agent"):
            assert word not in answer.text, word


async def test_V1_5_3_V8_2_3_V15_3_3_V15_3_7_no_route_takes_a_field_that_it_does_not_know(
    site: Site, tmp_path: Path
) -> None:
    app = site.client()
    await app.signed_in()
    before = rows(tmp_path)
    json_with_token = {"content-type": "application/json", "authorization": f"Bearer {app.auth}"}

    # Guards' calls: tests/http/test_guard_calls.py; OAuth's forms pass over what they do not know (RFC 6749, 3.2).
    for route in (route for route in ROUTES if route.body and route.callers != GUARD):
        for field in ("role", "roles", "email_verified", "is_verified", "is_admin", "tenant_id", "id", "sub", "userId"):
            once = await app.call(route.method, route.path, {field: "admin"})
            both = f'{{"{field}": "a", "{field}": "b"}}'
            twice = await app.inner.request(route.method, route.path, content=both, headers=json_with_token)
            for answer in (once, twice):
                assert told(answer) == (400, "validation_error"), (route.path, field)
                assert answer.json()["details"][field] == "unknown_field"

    assert rows(tmp_path) == before
