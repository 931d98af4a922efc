"""The guard's ear: what it makes of a feed that is right, that lies, that stalls and that is away."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from msgspec import json as msgspec_json

from guard.forge import AUDIENCE, ISSUER, forge
from guard.stand_in import GivenKeys, Said, StandIn, stand_in
from sekisho.errors import Refusal
from sekisho.guard import Verifier, feed, verifier
from sekisho.guard.revoked import Revocation, Revoked, TooMany
from sekisho.rfc.jwk import render_jwks
from sekisho.rfc.keys import new_private_key

KEY = new_private_key("ES256")
FEED = "/api/v1/revocations"
GUARD_KEY = "skg_test"


class Site:
    """A verifier with a feed whose server is a stand-in. Entries are `(seq, kind, value)`."""

    def __init__(self, server: StandIn) -> None:
        self.server = server
        self.ahead = 0.0
        self.entries: list[tuple[int, str, str]] = []
        self.generation = "g1"
        self.stream: Callable[[Callable[[object], None]], None] | None = None
        self.active: object = {"active": True}
        server.say[FEED] = self._say_page
        server.say[f"{FEED}/stream"] = self._say_stream
        self.verifiers: list[Verifier] = []

    def verifier(self, **policy: float) -> Verifier:
        made = Verifier(
            ISSUER,
            AUDIENCE,
            keys=GivenKeys(render_jwks([KEY.public])),
            server_url=self.server.url,
            feed_key=GUARD_KEY,
            monotonic=lambda: time.monotonic() + self.ahead,
            **policy,  # type: ignore[arg-type]
        )
        self.verifiers.append(made)
        return made

    def page(self, after: int, **changes: object) -> dict[str, object]:
        entries = [self.entry(*entry) for entry in self.entries if entry[0] > after]
        following = entries[-1]["seq"] if entries else after
        page = {"generation": self.generation, "after": after, "next": following, "more": False, "entries": entries}
        return page | changes

    @staticmethod
    def entry(seq: int, kind: str, value: str) -> dict[str, Any]:
        return {"seq": seq, "kind": kind, "value": value, "expires_at": "2099-01-01T00:00:00.000Z", "reason": "logout"}

    def _say_page(self, handler: BaseHTTPRequestHandler) -> None:
        after = int(handler.path.rpartition("=")[2])
        self._answer(handler, json.dumps(self.page(after)).encode())

    def _say_stream(self, handler: BaseHTTPRequestHandler) -> None:
        if self.stream is None:
            self._answer(handler, b"", 503)
            return
        handler.send_response_only(200)
        handler.end_headers()

        def tell(page: object) -> None:
            handler.wfile.write(f"data: {json.dumps(page)}\n\n".encode())
            handler.wfile.flush()

        self.stream(tell)

    @staticmethod
    def _answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
        handler.send_response_only(status)
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(feed, "PAUSE_S", 0.02)
    monkeypatch.setattr(feed, "LONGEST_PAUSE_S", 0.05)
    with stand_in() as server:
        made = Site(server)
        yield made
        for each in made.verifiers:
            each.close()


def token(sid: str = "S" * 22, jti: str = "J" * 22, client_id: str = "web:6f1c") -> str:
    return forge({"claims": {"sid": sid, "jti": jti, "client_id": client_id}}, KEY, int(time.time()))


def outcome(verifier: Verifier, presented: str) -> str:
    try:
        verifier.verify(presented)
    except Refusal as refusal:
        return refusal.code
    return "good"


def eventually(check: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not check():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.005)


def test_the_snapshot_is_read_before_the_first_token_is_judged(site: Site) -> None:
    site.entries = [(7, "sid", "S" * 22), (9, "future kind", "x")]
    verifier = site.verifier()
    assert outcome(verifier, token()) == "session_revoked"
    assert outcome(verifier, token(sid="other")) == "good"
    assert (verifier.health().feed, verifier.health().revocations) == ("in_step", 1)


def test_KA_028_each_layer_of_revocation_refuses_also_a_remembered_token(site: Site) -> None:
    live = threading.Event()
    told: list[Callable[[object], None]] = []

    def stream(tell: Callable[[object], None]) -> None:
        told.append(tell)
        live.wait(60)

    site.stream = stream
    verifier = site.verifier()
    kinds = {
        "sid": (token(sid="s1"), "s1", "session_revoked"),
        "jti": (token(jti="j1"), "j1", "session_revoked"),
        "client": (token(client_id="web:1"), "web:1", "session_revoked"),
        "client app": (token(client_id="app:2"), "app", "session_revoked"),
        "key": (token(), KEY.kid, "access_token_expired"),
    }
    assert {outcome(verifier, presented) for presented, _, _ in kinds.values()} == {"good"}
    eventually(lambda: bool(told))
    for seq, (kind, (presented, value, refused)) in enumerate(kinds.items(), 1):
        told[0](site.page(seq - 1, next=seq, entries=[site.entry(seq, kind.split()[0], value)]))
        eventually(lambda presented=presented, refused=refused: outcome(verifier, presented) == refused)  # type: ignore[misc]
    live.set()


def test_where_streams_do_not_come_through_pages_do(site: Site) -> None:
    verifier = site.verifier()
    assert outcome(verifier, token()) == "good"
    site.entries.append((1, "sid", "S" * 22))
    eventually(lambda: outcome(verifier, token()) == "session_revoked")


def lies(site: Site) -> dict[str, list[object]]:
    second = site.entry(2, "sid", "s2")
    return {
        "a gap": [site.page(40, next=41, entries=[site.entry(41, "sid", "s41")])],
        "a step back": [site.page(0, next=2, entries=[second])],
        "the same again": [site.page(1, next=2, entries=[second])] * 2,
        "another generation": [site.page(1, generation="g2", next=2, entries=[second])],
        "numbers out of order": [site.page(1, next=2, entries=[site.entry(3, "sid", "s3"), second])],
        "an end that is not there": [site.page(1, next=900, entries=[second])],
        "an end before the beginning": [site.page(1, next=0, entries=[])],
        "no page": [{"entries": []}, []],
        "a number that is none": [site.page(1, next="2", entries=[])],
    }


NO_PAGES = ("no page", "a number that is none")


@pytest.mark.parametrize("lie", [
    "a gap", "a step back", "the same again", "another generation", "numbers out of order",
    "an end that is not there", "an end before the beginning", "no page", "a number that is none",
])  # fmt: skip
def test_a_stream_that_lies_is_left_and_all_is_read_again_without_forgetting(site: Site, lie: str) -> None:
    site.entries = [(1, "sid", "S" * 22)]
    pages = lies(site)[lie]

    def stream(tell: Callable[[object], None]) -> None:
        site.stream = None
        # What the server knows from now on. The old entry is gone from it: the guard still knows.
        site.entries = [(5, "sid", "later")]
        for page in pages:
            tell(page)
        threading.Event().wait(0.2)

    site.stream = stream
    verifier = site.verifier()
    assert outcome(verifier, token()) == "session_revoked"
    eventually(lambda: outcome(verifier, token(sid="later")) == "session_revoked")
    assert outcome(verifier, token()) == "session_revoked"
    assert outcome(verifier, token(sid="unknown")) == "good"
    if lie not in NO_PAGES:
        # From the snapshot: reading on from where the lie led would have found the later entry too.
        eventually(lambda: site.server.asked.count(f"GET {FEED}?after=0") == 2)
    if "s2" in json.dumps(pages) and lie != "no page":
        assert outcome(verifier, token(sid="s2")) == "session_revoked"


@pytest.mark.parametrize("lie", ["out of order", "an end that is not there", "begins elsewhere"])
def test_a_page_that_lies_never_counts_as_the_end_of_the_snapshot(
    site: Site, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "FIRST_SNAPSHOT_S", 0.1)
    first, second = site.entry(1, "sid", "S" * 22), site.entry(2, "sid", "s2")
    site.server.say[FEED] = Said(
        json.dumps(
            {
                "out of order": site.page(0, next=1, entries=[second, first]),
                "an end that is not there": site.page(0, next=900, entries=[first, second]),
                "begins elsewhere": site.page(7, next=8, entries=[site.entry(8, "sid", "S" * 22)]),
            }[lie]
        ).encode()
    )
    closed = site.verifier(fail_closed_after_s=20)
    # What it revokes is believed; that there is no more, is not.
    eventually(lambda: outcome(closed, token()) == "session_revoked")
    assert outcome(closed, token(sid="other")) == "service_unavailable"
    assert closed.health().feed == "starting"


def test_a_feed_that_says_more_and_gives_nothing_is_left_at_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "PAUSE_S", 60.0)
    monkeypatch.setattr(verifier, "FIRST_SNAPSHOT_S", 0.3)
    site.server.say[FEED] = Said(json.dumps(site.page(0, more=True)).encode())
    assert outcome(site.verifier(), token()) == "service_unavailable"
    assert site.server.asked == [f"GET {FEED}?after=0"]  # and not again and again without a pause


@pytest.mark.parametrize("off_s", [-300, 300])
def test_a_clock_that_is_off_by_five_minutes_forgets_nothing_that_is_alive(site: Site, off_s: int) -> None:
    """The server's times of a revocation that matters for 20 seconds more, as this machine's wrong clock sees them."""
    now = time.time()
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 20 - off_s))
    revoked = Revoked()
    revoked.add((json_entry("S" * 22, at),))
    revoked.forget(now)
    assert revoked.names("S" * 22, "", "", "")


def test_a_new_generation_is_read_from_its_beginning(site: Site) -> None:
    site.entries = [(n, "sid", f"old{n}") for n in range(1, 6)]
    verifier = site.verifier()
    assert outcome(verifier, token(sid="old5")) == "session_revoked"
    site.entries, site.generation = [(1, "sid", "S" * 22)], "g2"
    eventually(lambda: outcome(verifier, token()) == "session_revoked")
    assert outcome(verifier, token(sid="old5")) == "session_revoked"


@pytest.mark.parametrize("how", ["500", "401", "stalls", "no JSON", "says more without end", "is asked for 5, says 0"])
def test_a_feed_that_gives_nothing_leads_to_the_policy_and_never_to_an_unverified_pass(site: Site, how: str) -> None:
    gate = threading.Event()
    site.server.say[FEED] = {
        "500": Said(b"", status=500),
        "401": Said(b"", status=401),
        "stalls": Said(b"", wait=lambda: gate.wait(60)),
        "no JSON": Said(b"<html>"),
        "says more without end": Said(json.dumps(site.page(0, more=True)).encode()),
        "is asked for 5, says 0": Said(json.dumps(site.page(5, next=5)).encode()),
    }[how]
    verifier.FIRST_SNAPSHOT_S, kept = 0.1, verifier.FIRST_SNAPSHOT_S
    try:
        closed, opened = site.verifier(fail_closed_after_s=20), site.verifier(fail_open_after_s=20)
        for each in (closed, opened):
            assert outcome(each, token()) == "service_unavailable"
            assert outcome(each, "garbage") in ("unauthorized", "service_unavailable")
        site.ahead = 21
        assert (outcome(closed, token()), outcome(opened, token())) == ("service_unavailable", "good")
        assert outcome(opened, token() + "A") == "unauthorized"
        assert closed.health().feed == "starting"
    finally:
        verifier.FIRST_SNAPSHOT_S = kept
        gate.set()


def test_a_server_that_falls_silent_is_believed_for_the_time_of_the_policy(site: Site) -> None:
    site.entries = [(1, "sid", "ended")]
    closed, opened = site.verifier(fail_closed_after_s=60), site.verifier(fail_open_after_s=60)
    for each in (closed, opened):
        assert outcome(each, token()) == "good"
    site.server.say[FEED] = Said(b"", status=500)
    asked = len(site.server.asked)
    eventually(lambda: len(site.server.asked) > asked + 4)
    site.ahead = 50
    assert (outcome(closed, token()), outcome(opened, token())) == ("good", "good")
    site.ahead = 65
    assert (outcome(closed, token()), outcome(opened, token())) == ("service_unavailable", "good")
    assert (closed.health().feed, opened.health().feed) == ("silent", "silent")
    assert outcome(opened, token(sid="ended")) == "session_revoked"
    site.server.say[FEED] = site._say_page
    eventually(lambda: outcome(closed, token()) == "good")


def test_asking_while_the_feed_is_silent_is_by_token_once_for_all_and_no_answer_is_no_pass(site: Site) -> None:
    introspection = "/api/v1/auth/introspect"
    asking = site.verifier(ask_after_s=20)
    assert outcome(asking, token()) == "good"
    site.server.say[FEED] = Said(b"", status=500)
    asked = len(site.server.asked)
    eventually(lambda: len(site.server.asked) > asked + 4)
    site.ahead = 30
    for n, (said, expected) in enumerate(
        [
            (Said(b'{"active":true}'), "good"),
            (Said(b'{"active":false}'), "session_revoked"),
            (Said(b'{"active":"true"}'), "service_unavailable"),
            (Said(b"{}"), "service_unavailable"),
            (Said(b"", status=500), "service_unavailable"),
            (Said(b'{"active":true}', status=401), "service_unavailable"),
        ]
    ):
        site.server.say[introspection] = said
        presented = token(sid=f"s{n}")
        assert {outcome(asking, presented) for _ in range(3)} == {expected}
    site.server.say[introspection] = Said(b'{"active":true}')
    before = site.server.asked.count(f"POST {introspection}")
    presented = token(sid="many")
    threads = [threading.Thread(target=outcome, args=(asking, presented)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.server.asked.count(f"POST {introspection}") == before + 1
    assert outcome(asking, token(sid="forged") + "A") == "unauthorized"  # nobody is asked about what is not genuine


@pytest.mark.parametrize(
    "policy",
    [
        {"fail_closed_after_s": 5},
        {"fail_open_after_s": float("inf")},
        {"ask_after_s": float("nan")},
        {"fail_closed_after_s": 60, "fail_open_after_s": 60},
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(policy: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"silence|one of"):
        Verifier(ISSUER, AUDIENCE, feed_key=GUARD_KEY, **policy)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="guard-key add"):
        Verifier(ISSUER, AUDIENCE, feed_key="a password")


def test_memory_is_bounded_and_forgets_only_what_is_over_by_a_day() -> None:
    revoked = Revoked(most=3)
    revoked.add((json_entry("a", "2030-01-01T00:00:00Z"), json_entry("b", "2030-01-02T00:00:00Z")))
    with pytest.raises(TooMany):
        revoked.add((json_entry("c", "2031-01-01T00:00:00Z"), json_entry("d", "2031-01-01T00:00:00Z")))
    revoked.add((json_entry("a", "2029-01-01T00:00:00Z"),))  # never earlier than it was
    first = 1_893_456_000.0  # 2030-01-01
    revoked.forget(first + 86_399)
    assert len(revoked) == 2
    revoked.forget(first + 86_400)
    assert not revoked.names("a", "", "", "")
    assert revoked.names("b", "", "", "")


def json_entry(value: str, at: str) -> Revocation:
    return msgspec_json.decode(json.dumps({"seq": 1, "kind": "sid", "value": value, "expires_at": at}), type=Revocation)
