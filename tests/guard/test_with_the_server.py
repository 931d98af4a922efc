"""The guard against the real server: a session that ends in one process is refused in another, without asking."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from live_server import LiveServer, live_server, sekisho
from sekisho.errors import Refusal
from sekisho.guard import Verifier

EMAIL = "hana@example.com"
PASSWORD = "korewa nagai himitsu"


class Guarded:
    """A server, a guard's key, and sessions of one account."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.issuer = server.url.replace("127.0.0.1", "localhost")
        made = sekisho("guard-key", "add", "api", "--json", folder=server.folder)
        self.key: str = json.loads(made.stdout)["text"]
        self.http = httpx2.Client(base_url=server.url)
        self.call("signup/send-code", email=EMAIL, password=PASSWORD)
        code = re.findall(r"\b\d{6}\b", self.http.get("/dev/mail.json").json()[0]["text"])[0]
        self.call("signup/verify-code", email=EMAIL, code=code)

    def call(self, path: str, **body: str) -> Any:
        answer = self.http.post(f"/api/v1/auth/{path}", json={**body, "client_id": "web"})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def sign_in(self) -> dict[str, Any]:
        pair: dict[str, Any] = self.call("login", email=EMAIL, password=PASSWORD)
        return pair

    def verifier(self, **more: Any) -> Verifier:
        return Verifier(self.issuer, self.issuer, server_url=self.server.url, feed_key=self.key, **more)

    def cli(self, *words: str) -> dict[str, Any]:
        done = sekisho(*words, "--json", folder=self.server.folder)
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said

    def requests(self) -> float:
        """How many requests the server has answered, streams and figures not counted."""
        text = self.http.get("/metrics").text
        lines = [line for line in text.splitlines() if line.startswith("sekisho_requests_total")]
        return sum(float(line.rpartition(" ")[2]) for line in lines if "/metrics" not in line)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with live_server(tmp_path_factory.mktemp("guarded")) as server:
        made = Guarded(server)
        yield made
        made.http.close()


def outcome(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except Refusal as refusal:
        return refusal.code
    return "good"


def eventually(check: Callable[[], bool]) -> float:
    """Wait, and return how long it took."""
    started = time.monotonic()
    while not check():
        assert time.monotonic() - started < 20, "it never came"
        time.sleep(0.002)
    return time.monotonic() - started


def test_V7_4_1_what_ends_a_session_is_heard_by_a_guard_that_asks_nothing(guarded: Guarded) -> None:
    verifier = guarded.verifier()
    first, second = guarded.sign_in()["access_token"], guarded.sign_in()["access_token"]
    assert verifier.verify(first).claims["iss"] == guarded.issuer
    sid = verifier.verify(second).session_id
    before = guarded.requests()
    for _ in range(1000):
        verifier.verify(first)
    assert guarded.requests() == before
    guarded.cli("session", "end", sid)  # another process
    eventually(lambda: outcome(verifier, second) == "session_revoked")
    assert outcome(verifier, first) == "good"
    guarded.cli("user", "disable", EMAIL)
    eventually(lambda: outcome(verifier, first) == "session_revoked")
    guarded.cli("user", "enable", EMAIL)
    verifier.close()


def test_a_compromised_key_is_heard_too_and_the_client_recovers_by_refresh(guarded: Guarded) -> None:
    verifier = guarded.verifier()
    pair = guarded.sign_in()
    assert outcome(verifier, pair["access_token"]) == "good"
    kid = next(key["kid"] for key in guarded.cli("key", "list")["keys"] if key["state"] == "active")
    guarded.cli("key", "compromise", kid, "--yes")
    eventually(lambda: outcome(verifier, pair["access_token"]) == "access_token_expired")
    renewed: list[str] = []

    def recovered() -> bool:
        renewed.append(guarded.call("refresh", refresh_token=pair["refresh_token"])["access_token"])
        return outcome(guarded.verifier(), renewed[-1]) == "good"

    eventually(recovered)
    verifier.close()


def test_a_guards_key_that_was_removed_hears_nothing_more(guarded: Guarded) -> None:
    made = guarded.cli("guard-key", "add", "short-lived")
    assert made["text"] not in json.dumps(guarded.cli("guard-key", "list"))
    assert sekisho("guard-key", "add", "short-lived", folder=guarded.server.folder).returncode == 1
    database = (guarded.server.folder / ".sekisho" / "sekisho.db").read_bytes()
    assert made["text"].encode() not in database
    guarded.cli("guard-key", "remove", "short-lived")
    refused = guarded.http.get("/api/v1/revocations", headers={"Authorization": f"Bearer {made['text']}"})
    assert refused.status_code == 401
    assert sekisho("guard-key", "remove", "short-lived", folder=guarded.server.folder).returncode == 1


def test_a_guard_outlives_a_restart_and_a_stop_does_not_wait_for_streams(tmp_path: Path) -> None:
    with live_server(tmp_path) as server:
        guarded = Guarded(server)
        verifier = guarded.verifier()
        pair = guarded.sign_in()
        assert outcome(verifier, pair["access_token"]) == "good"
        eventually(lambda: "/revocations/stream" not in server.output() and verifier.health().feed == "in_step")
        port = int(server.url.rpartition(":")[2])
        server.process.terminate()
        server.process.wait(4)  # less than the five seconds after which answers are cut off
        assert outcome(verifier, pair["access_token"]) == "good"
        guarded.http.close()
        guarded.http = httpx2.Client(base_url=server.url)
    with live_server(tmp_path, port=port):
        guarded.call("logout", refresh_token=pair["refresh_token"])
        eventually(lambda: outcome(verifier, pair["access_token"]) == "session_revoked")
    guarded.http.close()
    verifier.close()
