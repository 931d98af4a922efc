"""The issuer's keys: when they are fetched, how long they count, and what becomes of each lie."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from guard.forge import AUDIENCE, ISSUER, STRANGER, forge
from guard.stand_in import Said, StandIn, stand_in
from sekisho.errors import AccessTokenExpired, Refusal, ServiceUnavailable, Unauthorized
from sekisho.guard import Verifier
from sekisho.guard.fetching import Server, Unreachable
from sekisho.rfc.jwk import to_jwk
from sekisho.rfc.keys import PrivateKey, new_private_key

KEY, NEXT = new_private_key("ES256"), new_private_key("ES256")
JWKS = "/.well-known/jwks.json"
pytestmark = pytest.mark.anyio


class Site:
    """A verifier whose issuer is a stand-in, and whose clocks stand still."""

    def __init__(self, server: StandIn) -> None:
        self.server = server
        self.now = 1000.0
        self.epoch = time.time()
        self.verifier = Verifier(
            ISSUER, AUDIENCE, server_url=server.url, clock=lambda: self.epoch, monotonic=lambda: self.now
        )
        self.show(KEY)

    def show(self, *keys: PrivateKey) -> None:
        self.answer({"keys": [to_jwk(key.public) for key in keys]})

    def answer(self, body: object, **more: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.server.say[JWKS] = Said(raw, **more)

    def token(self, key: PrivateKey = KEY, **row: Any) -> str:
        return forge(row, key, int(self.epoch))

    def outcome(self, token: str) -> str:
        try:
            self.verifier.verify(token)
        except Refusal as refusal:
            return refusal.code
        return "good"

    @property
    def fetches(self) -> int:
        return len(self.server.asked)

    def settle(self, fetches: int) -> None:
        """Wait for a fetch beside the requests."""
        until = time.monotonic() + 20
        while self.fetches < fetches or self.verifier._keys._flight.is_done is False:  # type: ignore[attr-defined]
            assert time.monotonic() < until
            time.sleep(0.005)


@pytest.fixture
def site() -> Iterator[Site]:
    with stand_in() as server:
        yield Site(server)


def test_keys_are_fetched_once_and_again_beside_the_requests_before_they_are_old(site: Site) -> None:
    assert site.fetches == 0
    for _ in range(3):
        assert site.outcome(site.token()) == "good"
    assert site.fetches == 1
    site.now += 29
    assert site.outcome(site.token()) == "good"
    assert site.fetches == 1
    site.now += 2
    assert site.outcome(site.token()) == "good"
    site.settle(2)


def test_a_key_that_is_no_longer_shown_is_refused_within_a_minute_also_for_remembered_tokens(site: Site) -> None:
    token = site.token()
    assert site.outcome(token) == "good"
    site.show(NEXT)
    site.now += 60
    assert site.outcome(token) == "access_token_expired"
    assert site.server.headers["Cache-Control"] == "no-cache"  # what a proxy kept would add its age to the minute
    assert site.outcome(site.token(NEXT)) == "good"


def test_an_unknown_kid_fetches_again_but_made_up_ones_do_not_at_their_own_pace(site: Site) -> None:
    assert site.outcome(site.token()) == "good"
    site.show(KEY, NEXT)
    for n in range(50):
        assert site.outcome(site.token(header={"kid": f"made-up-{n}"})) == "unauthorized"
    assert site.outcome(site.token(NEXT)) == "unauthorized"
    assert site.fetches == 1
    site.now += 30
    assert site.outcome(site.token(NEXT)) == "good"
    assert site.fetches == 2


async def test_all_who_meet_an_unknown_kid_wait_for_one_answer(site: Site) -> None:
    assert site.outcome(site.token()) == "good"
    site.now += 30
    gate = threading.Event()
    site.answer({"keys": [to_jwk(NEXT.public)]}, wait=gate.wait)
    token = site.token(NEXT)
    waiting = [asyncio.create_task(site.verifier.verify_async(token)) for _ in range(50)]
    threads = [threading.Thread(target=site.outcome, args=(token,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    async with asyncio.timeout(30):
        while site.fetches < 2:  # noqa: ASYNC110 - the loop is free meanwhile: that is what this shows
            await asyncio.sleep(0.005)
    await asyncio.sleep(0.02)
    assert not any(task.done() for task in waiting)
    gate.set()
    assert {(await task).sub for task in waiting} == {"A" * 22}
    for thread in threads:
        thread.join()
    assert site.fetches == 2


def test_while_the_issuer_is_away_the_old_keys_go_on_for_a_day(site: Site) -> None:
    assert site.outcome(site.token()) == "good"
    site.answer(b"down", status=500)
    for _ in range(5):
        site.now += 61
        assert site.outcome(site.token()) == "good"
    assert site.fetches == 6
    site.now += 24 * 60 * 60
    site.verifier._cache.clear()
    with pytest.raises(ServiceUnavailable) as refused:
        site.verifier.verify(site.token())
    assert refused.value.retry_after == 30


def test_without_any_keys_nothing_is_judged(site: Site) -> None:
    site.answer(b"down", status=503)
    for _ in range(3):
        assert site.outcome(site.token()) == "service_unavailable"
        assert site.outcome("garbage") == "service_unavailable"
    assert site.fetches == 1
    site.show(KEY)
    site.now += 30
    assert site.outcome(site.token()) == "good"


def symmetric(_: PrivateKey) -> object:
    return {"keys": [{"kty": "oct", "kid": KEY.kid, "k": "A" * 43, "alg": "HS256"}]}


def lies() -> list[tuple[str, object, str]]:
    good = to_jwk(KEY.public)
    return [
        ("two keys under one kid", {"keys": [good, to_jwk(STRANGER.public) | {"kid": KEY.kid}]}, "service_unavailable"),
        ("the same key twice", {"keys": [good, good]}, "service_unavailable"),
        ("for encryption", {"keys": [good | {"use": "enc"}]}, "unauthorized"),
        ("only for signing", {"keys": [good | {"key_ops": ["sign"]}]}, "unauthorized"),
        ("another algorithm", {"keys": [good | {"alg": "RS256"}]}, "unauthorized"),
        ("symmetric", {"keys": [{"kty": "oct", "kid": KEY.kid, "k": "A" * 43}]}, "unauthorized"),
        ("with its private part", {"keys": [good | {"d": "A" * 43}]}, "unauthorized"),
        ("not on the curve", {"keys": [good | {"y": "A" * 43}]}, "unauthorized"),
        ("a stranger's under our kid", {"keys": [to_jwk(STRANGER.public) | {"kid": KEY.kid}]}, "unauthorized"),
        ("a key among nonsense", {"keys": [{"kty": 7}, {"kty": "EC"}, good, {"kty": "X"}]}, "good"),
        ("no keys", {"keys": []}, "unauthorized"),
        ("no set", {"keys": {}}, "service_unavailable"),
        ("nested sets", {"keys": [{"keys": [good]}]}, "unauthorized"),
        ("no JSON", b"<html>", "service_unavailable"),
        ("a name twice", b'{"keys":[],"keys":[' + json.dumps(good).encode() + b"]}", "service_unavailable"),
        ("101 keys", {"keys": [good | {"kid": str(n)} for n in range(101)]}, "service_unavailable"),
        ("huge", b'{"keys":[' + b" " * 5_000_000 + b"]}", "service_unavailable"),
    ]


@pytest.mark.parametrize(("body", "outcome"), [lie[1:] for lie in lies()], ids=[lie[0] for lie in lies()])
def test_each_lie_of_a_key_set_has_its_outcome_and_none_passes(site: Site, body: object, outcome: str) -> None:
    site.answer(body)
    assert site.outcome(site.token()) == outcome
    forged = forge({"header": {"kid": KEY.kid, "alg": "HS256"}, "sign": "hmac:jwk"}, KEY, int(site.epoch))
    assert site.outcome(forged) != "good"


def test_a_set_that_lies_leaves_the_keys_that_were_good(site: Site) -> None:
    assert site.outcome(site.token()) == "good"
    for _, body, outcome in lies():
        if outcome == "service_unavailable":
            site.answer(body)
            site.now += 61
            assert site.outcome(site.token()) == "good"


@pytest.mark.parametrize("status", [301, 302, 307, 401, 404, 500])
def test_a_redirect_or_refusal_brings_no_keys(site: Site, status: int) -> None:
    with stand_in() as elsewhere:
        keys = {"keys": [to_jwk(STRANGER.public)]}
        elsewhere.say[JWKS] = Said(json.dumps(keys).encode())
        site.answer(keys, status=status, headers={"Location": elsewhere.url + JWKS})
        assert site.outcome(forge({}, STRANGER, int(site.epoch))) == "service_unavailable"
        assert elsewhere.asked == []


def test_an_issuer_that_hangs_is_waited_for_no_longer_than_its_time(site: Site) -> None:
    assert site.outcome(site.token()) == "good"
    gate = threading.Event()
    site.answer(b"", wait=gate.wait)
    site.now += 45  # beside the requests: nobody waits
    started = time.monotonic()
    assert site.outcome(site.token()) == "good"
    assert time.monotonic() - started < 3
    gate.set()


def test_a_clock_five_minutes_behind_is_noticed_and_ends_no_token_later(site: Site) -> None:
    right = site.epoch
    token = site.token(claims={"exp": int(right) + 60})
    site.epoch -= 300
    assert site.outcome(token) == "good"
    assert 298 <= site.verifier.health().clock_behind_s <= 302
    site.epoch += 65
    with pytest.raises(AccessTokenExpired):
        site.verifier.verify(token)


def test_a_clock_five_minutes_ahead_ends_tokens_early_and_is_never_believed_backwards(site: Site) -> None:
    token = site.token(claims={"exp": int(site.epoch) + 299})
    site.epoch += 300
    assert site.outcome(token) == "access_token_expired"
    # Neither can an answer of long ago (a cache before the issuer) make tokens live longer.
    site.answer({"keys": [to_jwk(KEY.public)]}, headers={"Date": formatdate(site.epoch - 3600, usegmt=True)})
    site.now += 61
    assert site.outcome(token) == "access_token_expired"


def test_without_the_issuers_clock_a_token_of_the_future_is_refused(site: Site) -> None:
    for date in ("", "yesterday", "Fri, 99 Foo 9999999 00:00:00 GMT"):
        site.answer({"keys": [to_jwk(KEY.public)]}, headers={"Date": date})
        site.now += 61
        with pytest.raises(Unauthorized, match="clock"):
            site.verifier.verify(site.token(claims={"nbf": int(site.epoch) + 300}))


def test_an_answer_without_end_is_cut_off_in_size_and_in_time(site: Site) -> None:
    ended = threading.Event()

    def endless(pause_s: float, piece: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
        def say(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response_only(200)
            handler.end_headers()
            try:
                while True:
                    handler.wfile.write(piece)
                    time.sleep(pause_s)
            except OSError:
                ended.set()

        return say

    server = Server(site.server.url)
    site.server.say["/fast"] = endless(0, b"x" * 100_000)
    with pytest.raises(Unreachable, match="too long"):
        server.ask("GET", "/fast", max_bytes=1_000_000)
    assert ended.wait(20)
    site.server.say["/slow"] = endless(0.01, b"x")
    with pytest.raises(Unreachable, match="slow"):
        server.ask("GET", "/slow", longest_s=0.3)
