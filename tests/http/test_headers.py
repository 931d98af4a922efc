"""Headers of every answer, and CORS."""

from __future__ import annotations

import pytest

from http_site import API, Site

pytestmark = pytest.mark.anyio

PATHS = ["/healthz", "/nothing", f"{API}/auth/session", "/openapi.json", "/dev/mail.json", "/.well-known/jwks.json"]


@pytest.mark.parametrize("path", PATHS)
async def test_V3_4_4_every_answer_carries_the_security_headers(site: Site, path: str) -> None:
    answer = await site.client().get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["content-type"].endswith("charset=utf-8")
    assert "server" not in answer.headers


async def test_V14_3_2_answers_with_secrets_are_never_stored(site: Site) -> None:
    app = site.client()
    signed_up = await app.sign_up()
    listed = await app.get("auth/sessions", authorization=f"Bearer {signed_up.json()['access_token']}")

    for answer in (signed_up, listed, await app.get("auth/csrf"), await app.get("/dev/mail.json")):
        assert answer.headers["cache-control"] == "no-store"


async def test_V3_4_1_hsts_stands_behind_https_only(site: Site, secure_site: Site) -> None:
    plain = await site.client().get("/healthz")
    secure = await secure_site.client().get("/healthz")

    assert "strict-transport-security" not in plain.headers
    assert secure.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_V3_4_2_cors_answers_its_own_origins_only(secure_site: Site) -> None:
    app = secure_site.client()

    ours = await app.get("/healthz", origin="https://auth.example.com")
    local = await app.get("/healthz", origin="http://localhost:3000")
    foreign = await app.get("/healthz", origin="https://auth.example.com.evil.example")

    assert ours.headers["access-control-allow-origin"] == "https://auth.example.com"
    assert ours.headers["access-control-allow-credentials"] == "true"
    assert ours.headers["access-control-expose-headers"] == "Date, Retry-After, WWW-Authenticate"
    assert local.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "Origin"


async def test_a_preflight_names_what_may_be_sent(site: Site) -> None:
    asking = {"access_control_request_method": "POST"}

    ours = await site.client().call("OPTIONS", "auth/login", origin="http://localhost:5173", **asking)
    foreign = await site.client().call("OPTIONS", "auth/login", origin="https://evil.example", **asking)

    assert ours.status_code == 204
    assert "X-CSRFToken" in ours.headers["access-control-allow-headers"]
    assert "access-control-allow-methods" not in foreign.headers
