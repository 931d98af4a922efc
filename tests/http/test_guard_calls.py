"""What guards call: the feed as pages, introspection, revocation. Only a guard's key opens them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from guarded_site import FORM, SECRET, Guarded, damaged, guarded_site
from http_site import EMAIL
from sekisho.http import revocations
from sekisho.model import GuardKey
from sekisho.ports.changes import AddGuardKey, AppendJournal, RemoveGuardKey
from sekisho.tokens.session_values import hash_secret

pytestmark = pytest.mark.anyio
OAUTH_PATHS = ("/api/v1/auth/introspect", "/api/v1/auth/revoke")


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    async with guarded_site(tmp_path) as made:
        yield made


async def test_V7_4_1_P_42_the_end_of_a_session_stands_in_the_feed_and_its_tokens_are_inactive(
    guarded: Guarded,
) -> None:
    pair = await guarded.app.signed_in()
    before = (await guarded.form("introspect", token=pair["access_token"])).json()
    assert before["active"] is True
    assert before["sub"] == pair["user"]["id"]
    assert before["token_type"] == "Bearer"
    assert (await guarded.form("introspect", token=pair["refresh_token"])).json()["active"] is True
    await guarded.app.post("auth/logout", {"refresh_token": pair["refresh_token"], "client_id": "web"})
    entries = await guarded.settled(1)
    assert [(one["kind"], one["value"], one["reason"]) for one in entries] == [("sid", before["sid"], "logout")]
    assert entries[0]["expires_at"].endswith("Z")
    for token in (pair["access_token"], pair["refresh_token"], "garbage", guarded.key):
        assert (await guarded.form("introspect", token=token)).json() == {"active": False}


async def test_pages_follow_each_other_to_the_end_and_say_when_nothing_is_new(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sekisho.revocation_feed.PAGE", 3)
    changes = [AppendJournal(kind="jti", value=str(n), expires_at=2**40, reason="r") for n in range(8)]
    await guarded.store.apply(*changes)
    for _ in range(500):
        if guarded.edge.guards.feed._last:
            break
        await asyncio.sleep(0.01)
    after, seen, pages = 0, [], 0
    while True:
        page = (await guarded.page(after)).json()
        assert page["after"] == after
        seen += [one["value"] for one in page["entries"]]
        after, pages = page["next"], pages + 1
        if not page["more"]:
            break
    assert (seen, pages) == ([str(n) for n in range(8)], 3)
    last = await guarded.page(after)
    assert last.json()["entries"] == []
    unchanged = await guarded.page(after, if_none_match=last.headers["etag"])
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (await guarded.page(0, if_none_match=last.headers["etag"])).status_code == 200


async def test_what_is_no_longer_in_memory_comes_from_the_store(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sekisho.revocation_feed.KEPT", 2)
    for n in range(7):
        await guarded.store.apply(AppendJournal(kind="jti", value=str(n), expires_at=2**40, reason="r"))
        await guarded.settled(n + 1)
    assert guarded.edge.guards.feed._first_after > 0
    seen, after = [], 0
    for _ in range(5):
        page = (await guarded.page(after)).json()
        seen += [one["value"] for one in page["entries"]]
        after = page["next"]
    assert seen == [str(n) for n in range(7)]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "99999999999999999", "%00", "１"])
async def test_a_place_that_is_no_number_is_refused(guarded: Guarded, after: str) -> None:
    answer = await guarded.app.get(f"revocations?after={after}", **guarded.auth)
    assert (answer.status_code, answer.json()["details"]) == (400, {"after": "wrong_type"})


async def test_V8_2_1_only_a_guards_key_opens_the_calls_of_guards(guarded: Guarded) -> None:
    pair = await guarded.app.signed_in()
    calls: list[Callable[..., Any]] = [
        lambda **h: guarded.app.get("revocations", **h),
        lambda **h: guarded.app.get("revocations/stream", **h),
        lambda **h: guarded.app.post("auth/introspect", **h),
        lambda **h: guarded.app.post("auth/revoke", **h),
        lambda **h: guarded.app.post("auth/tokens/revoke", {"jti": "a"}, **h),
    ]
    wrong = ["", "garbage", pair["access_token"], pair["refresh_token"], damaged(guarded.key), guarded.key + "A"]
    other = guarded.edge.guards.keys._form.mint(guarded.key_id, b"t" * 16)
    assert (await guarded.app.get("revocations", authorization=f"Bearer {other}")).status_code == 401
    await guarded.store.apply(RemoveGuardKey(id=guarded.key_id))
    for call in calls:
        for text in (*wrong, other, guarded.key):
            answer = await call(**({"authorization": f"Bearer {text}"} if text else {}))
            code = "invalid_client" if answer.request.url.path in OAUTH_PATHS else "unauthorized"
            assert (answer.status_code, answer.json()["error"]) == (401, code)
            assert "Bearer" in answer.headers["www-authenticate"]


async def test_a_forged_guard_key_costs_no_store_operation(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(key_id: str) -> None:
        raise AssertionError("the store was asked")

    monkeypatch.setattr(guarded.edge.guards.keys._store, "find_guard_key", never, raising=False)
    answer = await guarded.app.get("revocations", authorization="Bearer skg_" + "A" * 92)
    assert answer.status_code == 401


async def test_P_41_a_token_is_taken_back_by_itself_or_by_its_jti_and_the_session_goes_on(guarded: Guarded) -> None:
    pair = await guarded.app.signed_in()
    assert (await guarded.form("revoke", token=pair["access_token"], token_type_hint="access_token")).status_code == 200
    refused = await guarded.app.get("auth/session", authorization=f"Bearer {pair['access_token']}")
    assert refused.json()["error"] == "session_revoked"
    again = (
        await guarded.app.post("auth/refresh", {"refresh_token": pair["refresh_token"], "client_id": "web"})
    ).json()
    assert (await guarded.form("introspect", token=pair["refresh_token"])).json() == {"active": False}  # spent
    said = (await guarded.form("introspect", token=again["access_token"])).json()
    assert said["active"] is True
    answer = await guarded.app.post("auth/tokens/revoke", {"jti": said["jti"]}, **guarded.auth)
    assert answer.status_code == 200
    assert (await guarded.form("introspect", token=again["access_token"])).json() == {"active": False}
    await guarded.form("revoke", token=again["refresh_token"])
    assert (await guarded.form("introspect", token=again["refresh_token"])).json() == {"active": False}
    for token in ("garbage", pair["access_token"]):  # no error: RFC 7009 section 2.2
        assert (await guarded.form("revoke", token=token)).status_code == 200
    kinds = [one["kind"] for one in await guarded.settled(3)]
    assert kinds == ["jti", "jti", "sid"]


async def test_a_jti_that_is_none_and_a_field_that_nobody_knows_are_refused(guarded: Guarded) -> None:
    for body in ({"jti": "a b"}, {"jti": ""}, {"jti": 1}, {"jti": "a", "sid": "b"}, {}):
        answer = await guarded.app.post("auth/tokens/revoke", body, **guarded.auth)
        assert (answer.status_code, answer.json()["error"]) == (400, "validation_error")
    assert (await guarded.page()).json()["entries"] == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        ("token=a&token=b", FORM, 400),
        ("", FORM, 400),
        ("token=", FORM, 400),
        ("other=a", FORM, 400),
        ("token=" + "a" * 8193, FORM, 400),
        ("token=%FF%FE", FORM, 200),
        ("&".join(f"f{n}=1" for n in range(30)), FORM, 400),
        ("token=" + "a" * 70_000, FORM, 413),
        ('{"token":"a"}', "application/json", 415),
    ],
)
async def test_a_form_is_bounded_and_has_each_field_once(
    guarded: Guarded, content: str, kind: str, status: int
) -> None:
    headers = {**guarded.auth, "content-type": kind}
    answer = await guarded.app.inner.post("/api/v1/auth/introspect", content=content.encode(), headers=headers)
    assert answer.status_code == status


async def test_a_stream_tells_at_once_gives_signs_of_life_and_ends_with_its_key(
    guarded: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocations, "HEARTBEAT_S", 0.05)
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    hang_up = asyncio.Event()

    async def listen(last_id: str = "") -> None:
        async def receive() -> dict[str, Any]:
            await hang_up.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            for line in message.get("body", b"").split(b"\n"):
                if line.startswith(b"data:"):
                    events.put_nowait(json.decode(line[5:]))

        headers = [(b"authorization", guarded.auth["authorization"].encode()), (b"last-event-id", last_id.encode())]
        scope = {"type": "http", "method": "GET", "path": "/api/v1/revocations/stream", "headers": headers}
        await guarded.site.app({**scope, "query_string": b""}, receive, send)

    stream = asyncio.create_task(listen())
    first = await asyncio.wait_for(events.get(), 20)
    assert (first["after"], first["entries"]) == (0, [])
    await guarded.store.apply(AppendJournal(kind="jti", value="x", expires_at=2**40, reason="r"))
    while not (told := await asyncio.wait_for(events.get(), 20))["entries"]:
        pass
    assert (told["entries"][0]["value"], guarded.edge.guards.streams) == ("x", 1)
    hang_up.set()
    await asyncio.wait_for(stream, 20)
    assert guarded.edge.guards.streams == 0

    hang_up.clear()
    stream = asyncio.create_task(listen(f"{told['generation']}:{told['next']}"))
    await asyncio.wait_for(events.get(), 20)
    while not events.empty():
        assert events.get_nowait()["entries"] == []
    await guarded.store.apply(RemoveGuardKey(id=guarded.key_id))
    await asyncio.wait_for(stream, 20)

    key = GuardKey(id=guarded.key_id, name="api", secret_hash=hash_secret(SECRET), created_at=1)
    await guarded.store.apply(AddGuardKey(key=key))
    stream = asyncio.create_task(listen("another-generation:1"))
    assert (await asyncio.wait_for(events.get(), 20))["after"] == 0
    await guarded.edge.guards.feed.close()  # as the server stops
    await asyncio.wait_for(stream, 20)


async def test_disabling_an_account_is_told_session_by_session(guarded: Guarded) -> None:
    pairs = [await guarded.app.signed_in(), (await guarded.app.login()).json()]
    answer = await guarded.app.post("auth/logout-all", authorization=f"Bearer {pairs[0]['access_token']}")
    assert answer.json()["ended"] == 2
    assert {one["kind"] for one in await guarded.settled(2)} == {"sid"}
    assert EMAIL not in (await guarded.page()).text
