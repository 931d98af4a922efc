"""Keys, health, readiness, metrics, the OpenAPI document, the development mailbox."""

from __future__ import annotations

import re

import msgspec
import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from http_site import Site
from sekisho.errors import all_refusals
from sekisho.guard.keys import REFRESH_AFTER_S
from sekisho.http.oauth import oauth_code
from sekisho.http.openapi import document
from sekisho.http.refusals import STATUS
from sekisho.http.routes import ROUTES, refusals_of

pytestmark = pytest.mark.anyio


async def test_another_library_verifies_our_tokens_with_our_jwks(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    jwks = (await app.get("/.well-known/jwks.json")).json()

    token = joserfc_jwt.decode(pair["access_token"], KeySet.import_key_set(jwks), algorithms=["ES256"])

    assert token.header["typ"] == "at+jwt"
    assert set(token.claims) == {
        *("iss", "aud", "sub", "client_id", "sid", "iat", "nbf", "exp", "jti", "auth_time", "amr", "acr")
    }
    assert token.claims["sub"] == pair["user"]["id"]
    assert token.claims["iss"] == token.claims["aud"] == site.public_origin
    assert all("d" not in key for key in jwks["keys"])


async def test_health_and_readiness_answer(site: Site) -> None:
    app = site.client()

    assert (await app.get("/healthz")).json() == {"status": "ok"}
    assert (await app.get("/readyz")).json() == {"status": "ready"}


async def test_V13_4_5_metrics_answer_to_loopback_only(site: Site) -> None:
    near = await site.client(ip="127.0.0.1").get("/metrics")
    far = await site.client(ip="203.0.113.7").get("/metrics")
    by_name = await site.client(ip="127.0.0.1").get("/metrics", host="metrics.example.com")
    through_proxy = await site.client(ip="127.0.0.1").get("/metrics", x_forwarded_for="203.0.113.7")

    assert near.status_code == 200
    assert 'sekisho_store_rows{kind="accounts"} 0.0' in near.text
    assert (far.status_code, by_name.status_code, through_proxy.status_code) == (404, 404, 404)


async def test_the_mailbox_answers_to_a_name_of_this_machine_only(site: Site) -> None:
    rebound = await site.client(ip="127.0.0.1").get("/dev/mail.json", host="evil.example:8080")
    own = [await site.client().get("/dev/mail.json", host=name) for name in ("localhost:9", "127.0.0.1", "[::1]:8080")]

    assert rebound.status_code == 404
    assert [answer.status_code for answer in own] == [200, 200, 200]


async def test_the_openapi_document_is_the_route_table(site: Site) -> None:
    served = (await site.client().get("/openapi.json")).json()

    assert served == msgspec.json.decode(msgspec.json.encode(document(ROUTES)))
    for route in ROUTES:
        operation = served["paths"][route.path][route.method.lower()]
        codes = {code for answer in operation["responses"].values() for code in answer["description"].split("`")[1::2]}
        assert codes == {oauth_code(one) if route.is_oauth else one.code for one in refusals_of(route)}
        assert str(route.status) in operation["responses"]
        assert ("requestBody" in operation) is (route.body is not None)


async def test_keys_are_kept_by_nobody_for_longer_than_a_compromise_may_take(site: Site) -> None:
    said = (await site.client().get("/.well-known/jwks.json")).headers["cache-control"]
    kept_s = int(re.findall(r"max-age=(\d+)", said)[0])
    # A guard looks again after so long, and what it gets may have been kept before: together within the minute.
    assert 0 < kept_s <= 60 - REFRESH_AFTER_S


def test_every_refusal_has_a_status() -> None:
    assert set(STATUS) == set(all_refusals())


async def test_the_mailbox_page_shows_letters_as_text(site: Site) -> None:
    app = site.client(**{"accept-language": "ja"})
    empty = await app.get("/dev/mail")
    await app.sign_up("hana@example.com")

    page = await app.get("/dev/mail")

    assert "まだメールはありません" in empty.text
    assert page.headers["content-type"].startswith("text/html")
    assert "hana@example.com" in page.text
    assert "<script>" not in page.text
