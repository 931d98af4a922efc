"""Introspection and revocation in the words of their RFCs: how a client shows who it is, and how it is refused."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest

from guarded_site import FORM, Guarded, damaged, guarded_site
from sekisho.http.oauth import BASIC, EITHER
from sekisho.http.refusals import INVALID_TOKEN
from sekisho.ports.changes import RemoveGuardKey
from sekisho.ports.storage import StoreUnavailable

pytestmark = pytest.mark.anyio
PATHS = pytest.mark.parametrize("path", ["introspect", "revoke"])
# RFC 6749 section 5.2.
DESCRIPTION = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+")


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded_site(tmp_path) as made:
        yield made


def basic(name: str, secret: str, scheme: str = "Basic") -> str:
    return f"{scheme} {b64encode(f'{quote_plus(name)}:{quote_plus(secret)}'.encode()).decode()}"


async def ask(guarded: Guarded, path: str, content: str = "token=a", **headers: str) -> Any:
    given = {"content-type": FORM, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await guarded.app.inner.post(f"/api/v1/auth/{path}", content=content, headers=given)


def refused(answer: Any) -> tuple[int, str]:
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    assert DESCRIPTION.fullmatch(body["error_description"]), body
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, body["error"]


@PATHS
async def test_a_client_shows_its_name_and_key_as_libraries_do(guarded: Guarded, path: str) -> None:
    for name in ("api", guarded.key_id):
        for scheme in ("Basic", "basic"):
            answer = await ask(guarded, path, authorization=basic(name, guarded.key, scheme))
            assert answer.status_code == 200, answer.text


@PATHS
async def test_a_client_that_cannot_show_who_it_is_is_refused_whatever_is_wrong(guarded: Guarded, path: str) -> None:
    wrong = [
        basic("other", guarded.key),
        basic("", guarded.key),
        basic("api", ""),
        basic("api", damaged(guarded.key)),
        basic("api", "skg_" + "A" * 92),
        "Basic",
        "Basic =",
        "Basic a b",
        "Basic " + b64encode(b"\xff:\xff").decode(),
        "Basic " + b64encode(f"api{guarded.key}".encode()).decode(),
        "Basic " + "A" * 2000,
        f"Digest {guarded.key}",
        guarded.key,
    ]
    told = [await ask(guarded, path, authorization=header) for header in wrong]
    told.append(await ask(guarded, path))
    told.append(await ask(guarded, path, f"token=a&client_id=api&client_secret={guarded.key}"))
    await guarded.store.apply(RemoveGuardKey(id=guarded.key_id))
    told.append(await ask(guarded, path, authorization=basic("api", guarded.key)))
    told.append(await ask(guarded, path, **guarded.auth))
    assert {refused(answer) for answer in told} == {(401, "invalid_client")}
    assert len({answer.content for answer in told}) == 1


@PATHS
@pytest.mark.parametrize(
    ("authorization", "challenge"),
    [("", EITHER), ("Basic x", BASIC), ("Bearer skg_x", INVALID_TOKEN), ("Digest x", EITHER)],
)
async def test_the_challenge_names_the_scheme_that_was_tried(
    guarded: Guarded, path: str, authorization: str, challenge: bytes
) -> None:
    answer = await ask(guarded, path, **({"authorization": authorization} if authorization else {}))
    assert answer.headers["www-authenticate"] == challenge.decode()


@PATHS
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("", FORM, 400),
        ("token=a&token=b", FORM, 400),
        ("token=%", "text/plain", 415),
        ("token=" + "a" * 70_000, FORM, 413),
    ],
)
async def test_a_request_that_cannot_be_read_is_invalid_request(
    guarded: Guarded, path: str, content: str, kind: str, status: int
) -> None:
    answer = await ask(guarded, path, content, content_type=kind, accept_language="ja", **guarded.auth)
    assert refused(answer) == (status, "invalid_request")


@PATHS
async def test_another_method_and_a_repeated_header_are_invalid_requests_too(guarded: Guarded, path: str) -> None:
    answer = await guarded.app.inner.get(f"/api/v1/auth/{path}?token=a", headers=guarded.auth)
    assert refused(answer) == (405, "invalid_request")
    assert "POST" in answer.headers["allow"]
    twice = [("authorization", guarded.auth["authorization"])] * 2
    answer = await guarded.app.inner.post(f"/api/v1/auth/{path}", content="token=a", headers=twice)
    assert refused(answer) == (400, "invalid_request")


@PATHS
async def test_a_store_that_is_away_is_told_as_temporary_and_a_mistake_of_ours_as_one(
    guarded: Guarded, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[Exception] = [StoreUnavailable("away"), RuntimeError("a mistake")]

    async def fail(key_id: str) -> None:
        raise raised[0]

    monkeypatch.setattr(guarded.edge.guards.keys._store, "find_guard_key", fail, raising=False)
    answer = await ask(guarded, path, **guarded.auth)
    assert refused(answer) == (503, "temporarily_unavailable")
    assert answer.headers["retry-after"] == "1"
    del raised[0]
    assert refused(await ask(guarded, path, **guarded.auth)) == (500, "server_error")


async def test_P_41_what_cannot_be_taken_back_is_told_and_what_does_not_count_is_no_error(guarded: Guarded) -> None:
    for token in (guarded.key, "sks_x", "skp_x"):
        answer = await ask(guarded, "revoke", f"token={token}", **guarded.auth)
        assert refused(answer) == (400, "unsupported_token_type")
        assert (await ask(guarded, "introspect", f"token={token}", **guarded.auth)).json() == {"active": False}
    for content in ("token=skr_x", "token=a.b.c", "token=x&token_type_hint=unheard_of"):
        assert (await ask(guarded, "revoke", content, **guarded.auth)).status_code == 200
    # The key itself still opens the calls.
    assert (await guarded.page()).status_code == 200
