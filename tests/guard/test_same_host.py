"""Session cookies in an API on the server's own host: asked seldom, ended at once, held to the CSRF value."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from guard.stand_in import Said, StandIn, stand_in
from guard.test_with_the_server import EMAIL, PASSWORD, Guarded, eventually
from live_server import live_server
from sekisho.errors import Refusal
from sekisho.guard import Principal, Verifier, same_host
from sekisho.guard.auth import Auth
from sekisho.guard.same_host import CookieSessions

ORIGIN = "http://app.test"
pytestmark = pytest.mark.anyio


def request(method: str = "GET", cookie: str = "sekisho-s-web=good; csrftoken=bound", **headers: str) -> Any:
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return SimpleNamespace(method=method, headers={"Cookie": cookie, **named})


def good(**headers: str) -> dict[str, str]:
    return {"origin": ORIGIN, "X_Csrftoken": "bound", **headers}


class Site:
    def __init__(self, server: StandIn) -> None:
        self.server = server
        self.verifier = Verifier("https://auth.test", "https://api.test", server_url=server.url)
        self.sessions = CookieSessions(self.verifier, "web", ORIGIN, csrf_header="X-Csrftoken")
        self.say_session()
        self.say_csrf("bound")

    def say_session(self, status: int = 200, **error: str) -> None:
        session = {"id": "s1", "client_id": "web:1", "amr": ["pwd"], "acr": "aal1", "auth_time": "2026-01-01T00:00:00Z"}
        body = error or {"user": {"id": "alice", "roles": ["editor"]}, "session": session}
        self.server.say["/api/v1/auth/session"] = Said(json.dumps(body).encode(), status=status)

    def say_csrf(self, value: str, status: int = 200) -> None:
        self.server.say["/api/v1/auth/csrf"] = Said(json.dumps({"csrf_token": value}).encode(), status=status)

    def outcome(self, asked: Any) -> str:
        try:
            found = self.sessions.find(asked)
        except Refusal as refusal:
            return refusal.code
        return found.sub if found else "nobody"


@pytest.fixture
def site() -> Iterator[Site]:
    with stand_in() as server:
        yield Site(server)


async def test_a_cookie_is_asked_about_once_for_a_while(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_host, "KEPT_S", 60.0)
    for _ in range(5):
        assert site.outcome(request()) == "alice"
    found = await site.sessions.find_async(request())
    assert found is not None
    assert (found.sub, found.session_id, found.roles, found.auth_time) == ("alice", "s1", {"editor"}, 1767225600)
    assert len(site.server.asked) == 1
    assert site.outcome(request(cookie="sekisho-s-web=other")) == "alice"
    assert len(site.server.asked) == 2
    site.verifier.revoke_locally("s1")
    assert site.outcome(request()) == "session_revoked"
    assert site.outcome(request(cookie="")) == "nobody"
    assert site.outcome(request(cookie="sekisho-s-other=good; __Host-sekisho-s-web=good")) == "nobody"


async def test_fifty_at_once_ask_about_one_cookie_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # A thread that comes to its question when the others have their answer finds it known, however late that is.
    monkeypatch.setattr(same_host, "KEPT_S", 60)
    gate = threading.Event()
    session = site.server.say["/api/v1/auth/session"]
    assert isinstance(session, Said)
    site.server.say["/api/v1/auth/session"] = Said(session.body, wait=gate.wait)
    tasks = [asyncio.create_task(site.sessions.find_async(request("POST", **good()))) for _ in range(25)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(site.outcome(request()))) for _ in range(25)]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(30):
        while not site.server.asked:  # noqa: ASYNC110 - the loop is free meanwhile
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in tasks)
    gate.set()
    assert {principal.sub for principal in await asyncio.gather(*tasks) if principal} == {"alice"}
    for thread in threads:
        thread.join()
    assert found == ["alice"] * 25
    assert sorted(asked.partition("?")[0] for asked in site.server.asked) == [
        "GET /api/v1/auth/csrf",
        "GET /api/v1/auth/session",
    ]


def test_what_was_asked_is_asked_again_soon_without_a_feed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_host, "KEPT_S", 0.05)
    assert site.outcome(request()) == "alice"
    site.say_session(401, error="session_revoked")
    eventually(lambda: site.outcome(request()) == "session_revoked")


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (401, "unauthorized", "unauthorized"),
        (401, "session_revoked", "session_revoked"),
        (500, "internal", "service_unavailable"),
        (302, "x", "service_unavailable"),
        (200, "x", "service_unavailable"),
        (409, "session_changed", "service_unavailable"),
    ],
)
def test_no_answer_of_the_server_but_a_good_one_is_a_pass(site: Site, status: int, error: str, outcome: str) -> None:
    site.say_session(status, error=error)
    assert site.outcome(request()) == outcome


@pytest.mark.parametrize("status", [201, 302, 500])
def test_another_status_is_no_pass_whatever_the_body_says(site: Site, status: int) -> None:
    site.say_session(status)
    assert site.outcome(request()) == "service_unavailable"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Csrftoken": "bound"},
        good(origin="https://evil.test"),
        good(origin="null"),
        good(origin=ORIGIN + ".evil.test"),
        good(X_Csrftoken="other"),
        good(X_Csrftoken=""),
        {"sec_fetch_site": "cross-site", "X_Csrftoken": "bound"},
        {"sec_fetch_site": "same-site", "X_Csrftoken": "bound"},
    ],
)
def test_V3_5_1_an_unsafe_request_without_the_pages_own_value_is_refused(site: Site, headers: dict[str, str]) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "CONNECT"):
        assert site.outcome(request(method, **headers)) == "csrf_failed"
    assert site.outcome(request("GET", **headers)) == "alice"


def test_V3_5_1_a_value_that_the_server_does_not_know_is_refused_though_both_are_equal(site: Site) -> None:
    assert site.outcome(request("POST", **good())) == "alice"
    assert site.outcome(request("POST", sec_fetch_site="same-origin", X_Csrftoken="bound")) == "alice"
    planted = request("POST", cookie="sekisho-s-web=good; csrftoken=planted", **good(X_Csrftoken="planted"))
    assert site.outcome(planted) == "csrf_failed"
    site.say_csrf("bound", status=500)
    other = request("POST", cookie="sekisho-s-web=good; csrftoken=new", **good(X_Csrftoken="new"))
    assert site.outcome(other) == "service_unavailable"


def test_a_token_wins_over_the_cookie_and_an_origin_must_be_one(site: Site) -> None:
    auth = Auth(site.verifier, sessions=site.sessions)
    found = auth.find(None, request())
    assert found is not None
    assert found.sub == "alice"
    with pytest.raises(Refusal):
        auth.find("Bearer a.b.c", request())
    with auth.override(Principal(sub="bob")):
        assert auth.find(None, request()) == Principal(sub="bob")
    for origin in ("app.test", "https://app.test/", "ftp://app.test"):
        with pytest.raises(ValueError, match="origin"):
            CookieSessions(site.verifier, "web", origin)


def test_with_the_server_a_cookie_counts_until_its_session_ends(tmp_path_factory: pytest.TempPathFactory) -> None:
    with live_server(tmp_path_factory.mktemp("same-host")) as server:
        guarded = Guarded(server)
        browser = httpx2.Client(base_url=guarded.issuer, headers={"Origin": guarded.issuer})
        value = browser.get("/api/v1/auth/csrf").json()["csrf_token"]
        body = {"email": EMAIL, "password": PASSWORD, "client_id": "web", "transport": "session"}
        signed_in = browser.post("/api/v1/auth/login", json=body, headers={"X-CSRFToken": value})
        assert signed_in.status_code == 200, signed_in.text
        verifier = guarded.verifier()
        sessions = CookieSessions(verifier, "web", guarded.issuer)
        cookie = "; ".join(f"{name}={held}" for name, held in browser.cookies.items())
        sent = {"Cookie": cookie, "Origin": guarded.issuer, "X-CSRFToken": browser.cookies["csrftoken"]}
        found = sessions.find(SimpleNamespace(method="POST", headers=sent))
        assert found is not None
        assert found.client_id == "web"
        forged = {**sent, "Cookie": cookie.replace(sent["X-CSRFToken"], "a" * 60), "X-CSRFToken": "a" * 60}
        with pytest.raises(Refusal) as refused:
            sessions.find(SimpleNamespace(method="POST", headers=forged))
        assert refused.value.code == "csrf_failed"
        guarded.cli("session", "end", found.session_id)

        def is_over() -> bool:
            try:
                sessions.find(SimpleNamespace(method="GET", headers=sent))
            except Refusal as refusal:
                return refusal.code == "session_revoked"
            return False

        eventually(is_over)
        browser.close()
        guarded.http.close()
        verifier.close()
