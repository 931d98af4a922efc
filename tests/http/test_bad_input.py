"""Bad input: every kind gets a clear 4xx that names the field, never a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from http_site import API, EMAIL, Site

pytestmark = pytest.mark.anyio

LOGIN = f"{API}/auth/login"
GOOD = '{"email": "a@example.com", "password": "long enough 1", "client_id": "web"}'

BAD_BODIES = [
    ("", {"body": "empty"}),
    ("{", {"body": "invalid_json"}),
    ("[]", {"body": "wrong_type"}),
    ("null", {"body": "wrong_type"}),
    ('"x"', {"body": "wrong_type"}),
    ("NaN", {"body": "invalid_json"}),
    ("{}", {"email": "required", "password": "required", "client_id": "required"}),
    (GOOD[:-1] + ', "admin": true}', {"admin": "unknown_field"}),
    (GOOD[:-1] + ', "transport": "pigeon"}', {"transport": "invalid_choice"}),
    (GOOD[:-1] + ', "email": "b@example.com"}', {"email": "duplicate_key"}),
    (GOOD.replace('"web"', "7"), {"client_id": "wrong_type"}),
    (GOOD.replace('"web"', "null"), {"client_id": "wrong_type"}),
    (GOOD.replace('"web"', '["web"]'), {"client_id": "wrong_type"}),
    (GOOD.replace('"web"', '"we b"'), {"client_id": "invalid_client_id"}),
    (GOOD.replace('"web"', '""'), {"client_id": "invalid_client_id"}),
    (GOOD.replace("a@example.com", "not an address"), {"email": "invalid_email"}),
    (GOOD.replace("a@example.com", "a@example.com\\r\\nBcc: b@example.com"), {"email": "invalid_email"}),
    (GOOD.replace("a@example.com", "a" * 300), {"email": "too_long"}),
    (GOOD.replace("long enough 1", "p" * 257), {"password": "too_long"}),
    ("[" * 20000, None),
    ('{"a":' * 5000, None),
    ('{"email": "\\ud800"}', None),
]


@pytest.mark.parametrize(("body", "details"), BAD_BODIES, ids=range(len(BAD_BODIES)))
async def test_V15_3_5_a_body_that_does_not_match_is_explained(
    site: Site, body: str, details: dict[str, str] | None
) -> None:
    app = site.client()

    answer = await app.inner.post(LOGIN, content=body, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
    if details is not None:
        assert answer.json()["details"] == details


async def test_bytes_that_are_no_text_are_refused(site: Site) -> None:
    answer = await site.client().inner.post(
        LOGIN, content=b'{"email": "\xff"}', headers={"content-type": "application/json"}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonx", ""],
)
async def test_V3_5_2_KA_111_only_json_is_read(site: Site, content_type: str) -> None:
    answer = await site.client().inner.post(LOGIN, content=GOOD, headers={"content-type": content_type})

    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("content_type", [None, "text/plain"])
async def test_a_body_that_is_not_there_is_called_missing_not_of_a_wrong_type(
    site: Site, content_type: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = await site.client().inner.post(LOGIN, headers=headers)

    assert (answer.status_code, answer.json()["details"]) == (400, {"body": "empty"})


async def test_json_with_a_charset_is_read(site: Site) -> None:
    answer = await site.client().inner.post(
        LOGIN, content=GOOD, headers={"content-type": "application/json; charset=UTF-8"}
    )

    assert answer.json()["error"] == "invalid_credentials"


async def test_a_body_over_64_kib_is_refused_by_its_declared_length_or_as_it_streams(site: Site) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for _ in range(70):
            yield b"x" * 1024

    json = {"content-type": "application/json"}
    declared = await site.client().inner.post(LOGIN, content=b"x" * 70_000, headers=json)
    streamed = await site.client().inner.post(LOGIN, content=stream(), headers=json)

    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")


async def test_an_unknown_path_and_an_unknown_method_have_their_own_answers(site: Site) -> None:
    app = site.client()

    unknown = await app.get("/api/v1/auth/nothing")
    method = await app.call("PATCH", "auth/login")

    assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
    assert (method.status_code, method.json()["error"]) == (405, "method_not_allowed")
    assert method.headers["allow"] == "OPTIONS, POST"


async def test_too_many_headers_are_refused(site: Site) -> None:
    answer = await site.client().inner.get("/healthz", headers=[("x-h", "1")] * 150)

    assert answer.json()["details"] == {"headers": "too_many"}


async def test_FS_18_a_repeated_authorization_header_is_refused(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    good = ("authorization", f"Bearer {pair['access_token']}")

    answer = await app.inner.get(f"{API}/auth/session", headers=[good, good])

    assert answer.status_code == 400


@pytest.mark.parametrize("value", ["Bearer", "Bearer ", "Basic abc", "Bearer a b", "bearer  x", "x"])
async def test_a_malformed_authorization_header_is_unauthorized(site: Site, value: str) -> None:
    answer = await site.client().get("auth/session", authorization=value)

    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_refused_token_is_named_invalid_and_a_missing_one_is_not(site: Site) -> None:
    forged = await site.client().get("auth/session", authorization="Bearer abc")
    missing = await site.client().get("auth/session")

    assert forged.headers["www-authenticate"] == 'Bearer realm="sekisho", error="invalid_token"'
    assert missing.headers["www-authenticate"] == 'Bearer realm="sekisho"'


async def test_V14_2_1_a_token_in_the_query_opens_nothing(site: Site) -> None:
    app = site.client()
    pair = await app.signed_in()
    app.auth = None

    answer = await app.get(f"/api/v1/auth/session?access_token={pair['access_token']}")

    assert answer.status_code == 401


async def test_KA_100_a_call_never_takes_the_acting_account_from_its_body(site: Site) -> None:
    pair = await site.client().signed_in()

    answer = await site.client().call("PUT", "user/profile", {"name": "x", "userId": pair["user"]["id"]})

    assert answer.status_code == 401


@pytest.mark.parametrize("field", ["role", "roles", "is_verified", "is_admin", "id", "email"])
async def test_V8_2_3_fields_that_are_not_the_persons_to_set_are_refused(site: Site, field: str) -> None:
    app = site.client()
    await app.signed_in()

    answer = await app.call("PUT", "user/profile", {field: "x"})

    assert answer.json()["details"] == {field: "unknown_field"}
    assert (await app.get("user/profile")).json()["email"] == EMAIL
