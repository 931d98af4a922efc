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
from one_second import seconds_to_refusal, within_a_second
from sekisho.errors import Refusal
from sekisho.guard import Principal, Verifier
from sekisho.rfc import base64url

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
        self.call("signup/verify-code", email=EMAIL, code=self.mailed_code(EMAIL))

    def call(self, path: str, **body: str) -> Any:
        answer = self.http.post(f"/api/v1/auth/{path}", json={**body, "client_id": "web"})
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def mailed_code(self, to: str) -> str:
        """Return the code of the newest letter to an address."""
        texts: list[str] = [mail["text"] for mail in self.http.get("/dev/mail.json").json() if mail["to"] == to]
        found: str = re.findall(r"\b\d{6}\b", texts[0])[0]
        return found

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
    with live_server(tmp_path_factory.mktemp("guarded"), SEKISHO_JWT__CLAIMS="roles,email") as server:
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


def test_a_guard_verifies_a_thousand_times_and_the_server_is_asked_nothing(guarded: Guarded) -> None:
    verifier = guarded.verifier()
    token = guarded.sign_in()["access_token"]
    assert verifier.verify(token).claims["iss"] == guarded.issuer
    before = guarded.requests()
    for _ in range(1000):
        verifier.verify(token)
    assert guarded.requests() == before
    verifier.close()


@pytest.mark.parametrize("how", ["session end ID", "session end --user", "user disable", "jti", "logout"])
def test_V7_4_1_V7_4_2_whatever_ends_it_is_refused_by_a_guard_within_a_second(guarded: Guarded, how: str) -> None:
    verifier = guarded.verifier()

    def try_once() -> float:
        pair, other = guarded.sign_in(), guarded.sign_in()["access_token"]
        token = pair["access_token"]
        principal = verifier.verify(token)
        assert outcome(verifier, other) == "good"
        key = {"Authorization": f"Bearer {guarded.key}"}
        revoke: dict[str, Callable[[], object]] = {
            "session end ID": lambda: guarded.cli("session", "end", principal.session_id),
            "session end --user": lambda: guarded.cli("session", "end", "--user", EMAIL),
            "user disable": lambda: guarded.cli("user", "disable", EMAIL),
            "jti": lambda: guarded.http.post(
                "/api/v1/auth/tokens/revoke", json={"jti": principal.token_id}, headers=key
            ).raise_for_status(),
            "logout": lambda: guarded.call("logout", refresh_token=pair["refresh_token"]),
        }
        took = seconds_to_refusal(
            guarded.server.folder, revoke[how], lambda: outcome(verifier, token) == "session_revoked"
        )
        if how in ("session end --user", "user disable"):
            eventually(lambda: outcome(verifier, other) == "session_revoked")
        else:
            assert outcome(verifier, other) == "good"
        if how == "user disable":
            guarded.cli("user", "enable", EMAIL)
        return took

    within_a_second(try_once)
    verifier.close()


@pytest.mark.parametrize("how", ["compromise", "retire"])
def test_a_key_that_counts_no_more_is_refused_within_a_second_and_the_client_recovers_by_refresh(
    guarded: Guarded, how: str
) -> None:
    verifier = guarded.verifier()

    def try_once() -> float:
        pair = guarded.sign_in()
        token = pair["access_token"]
        eventually(lambda: outcome(guarded.verifier(), token) == "good")
        assert outcome(verifier, token) == "good"
        kid = next(key["kid"] for key in guarded.cli("key", "list")["keys"] if key["state"] == "active")
        words = ["compromise", kid, "--yes"] if how == "compromise" else ["retire", kid]
        if how == "retire":
            guarded.cli("key", "rotate")
        assert outcome(verifier, token) == "good"
        took = seconds_to_refusal(
            guarded.server.folder,
            lambda: guarded.cli("key", *words),
            lambda: outcome(verifier, token) == "access_token_expired",
        )

        def recovered() -> bool:
            renewed = guarded.call("refresh", refresh_token=pair["refresh_token"])["access_token"]
            return outcome(guarded.verifier(), renewed) == "good"

        eventually(recovered)
        return took

    within_a_second(try_once)
    verifier.close()


def test_without_a_feed_a_compromised_key_is_refused_within_a_minute(guarded: Guarded) -> None:
    now = 1000.0
    deaf = Verifier(
        guarded.issuer,
        guarded.issuer,
        server_url=guarded.server.url,
        monotonic=lambda: now,
    )
    token = guarded.sign_in()["access_token"]
    assert outcome(deaf, token) == "good"
    kid = next(key["kid"] for key in guarded.cli("key", "list")["keys"] if key["state"] == "active")
    guarded.cli("key", "compromise", kid, "--yes")
    now += 20
    assert outcome(deaf, token) == "good"  # its keys are young enough: nobody is asked
    now += 40
    assert outcome(deaf, token) == "access_token_expired"
    deaf.close()


def test_V8_3_2_a_change_of_roles_counts_from_the_next_refresh_and_at_once_where_sessions_are_ended(
    guarded: Guarded,
) -> None:
    verifier = guarded.verifier(permissions={"editor": ["articles.write"]})
    pair = guarded.sign_in()

    def refreshed() -> Principal:
        nonlocal pair
        pair = guarded.call("refresh", refresh_token=pair["refresh_token"])
        return verifier.verify(pair["access_token"])

    assert verifier.verify(pair["access_token"]).roles == frozenset()
    guarded.cli("user", "role", "add", EMAIL, "editor")
    assert verifier.verify(pair["access_token"]).permissions == frozenset()
    promoted = refreshed()
    assert (promoted.roles, promoted.permissions) == ({"editor"}, {"articles.write"})
    guarded.cli("user", "role", "remove", EMAIL, "editor")
    shown = guarded.http.get("/api/v1/auth/session", headers={"Authorization": f"Bearer {pair['access_token']}"})
    assert shown.json()["user"]["roles"] == []  # the server reads them from its store
    demoted = refreshed()
    assert (demoted.roles, demoted.permissions) == (frozenset(), frozenset())
    guarded.cli("user", "role", "add", EMAIL, "editor")
    token = guarded.sign_in()["access_token"]
    assert verifier.verify(token).roles == {"editor"}
    guarded.cli("user", "role", "remove", EMAIL, "editor")
    guarded.cli("session", "end", "--user", EMAIL)
    eventually(lambda: outcome(verifier, token) == "session_revoked")
    verifier.close()


def test_a_new_address_stands_in_tokens_from_the_next_refresh(guarded: Guarded) -> None:
    verifier = guarded.verifier()
    pair = guarded.sign_in()
    before = verifier.verify(pair["access_token"])
    assert before.claims["email"] == EMAIL
    new = "hana@example.org"
    for old, address in ((EMAIL, new), (new, EMAIL)):  # there, and back again for the other tests
        auth = {"Authorization": f"Bearer {pair['access_token']}"}
        body = {"email": address, "password": PASSWORD}
        guarded.http.post("/api/v1/user/email/send-code", json=body, headers=auth).raise_for_status()
        code = guarded.mailed_code(address)
        body = {"email": address, "code": code}
        guarded.http.post("/api/v1/user/email/verify-code", json=body, headers=auth).raise_for_status()
        assert verifier.verify(pair["access_token"]).claims["email"] == old
        pair = guarded.call("refresh", refresh_token=pair["refresh_token"])
        after = verifier.verify(pair["access_token"])
        assert (after.claims["email"], after.sub, after.session_id) == (address, before.sub, before.session_id)
    verifier.close()


@pytest.mark.parametrize("algorithm", ["Ed25519", "RS256", "HS256"])
def test_each_algorithm_goes_from_the_servers_setting_to_a_guard(tmp_path: Path, algorithm: str) -> None:
    secret = "an hs256 key of the test, 32 bytes and more"
    given = {"JWT_SECRET_KEY": secret} if algorithm == "HS256" else {"SEKISHO_JWT__ALGORITHM": algorithm}
    with live_server(tmp_path, **given) as server:
        guarded = Guarded(server)
        shared = {"secret_key": secret} if algorithm == "HS256" else {}
        verifier = guarded.verifier(**shared)
        token = guarded.sign_in()["access_token"]
        header = json.loads(base64url.decode(token.partition(".")[0], 1024))
        assert header["alg"] == algorithm
        principal = verifier.verify(token)
        shown = guarded.http.get("/.well-known/jwks.json").json()["keys"]
        assert {key["alg"] for key in shown} == ({algorithm} - {"HS256"})
        if algorithm == "HS256":
            assert outcome(guarded.verifier(secret_key=secret[::-1]), token) == "unauthorized"
            assert outcome(guarded.verifier(), token) == "unauthorized"  # who fetches keys finds none
        guarded.cli("session", "end", principal.session_id)
        eventually(lambda: outcome(verifier, token) == "session_revoked")
        verifier.close()
        guarded.http.close()


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
