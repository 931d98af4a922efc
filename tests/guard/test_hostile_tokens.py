"""One file of hostile tokens, put to the guard and to the server's own verifier: the same outcome from both."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from guard.forge import AUDIENCE, ISSUER, ROWS, STRANGER, forge
from guard.stand_in import GivenKeys
from sekisho.errors import Refusal
from sekisho.guard import Verifier
from sekisho.master_secret import MasterSecret
from sekisho.model import KeyState
from sekisho.revocations import Revocations
from sekisho.rfc.keys import PrivateKey
from sekisho.tokens.access_token import AccessTokens
from sekisho.tokens.signing_keys import KeyRing, new_signing_key

NOW = 1_790_000_000
RING = KeyRing(MasterSecret(b"0123456789abcdef0123456789abcdef"))
Verify = Callable[[str], object]


def key() -> PrivateKey:
    found = RING.active
    assert isinstance(found, PrivateKey)
    return found


@pytest.fixture(scope="module", autouse=True)
def _ring() -> None:
    master = MasterSecret(b"0123456789abcdef0123456789abcdef")
    RING.load([asyncio.run(new_signing_key(master, "ES256", KeyState.ACTIVE, NOW * 1000))], NOW * 1000)


def the_guard() -> Verify:
    return Verifier(ISSUER, AUDIENCE, keys=GivenKeys(RING.jwks()), clock=lambda: NOW).verify


def the_server() -> Verify:
    tokens = AccessTokens(RING, Revocations(), issuer=ISSUER, audience=AUDIENCE, lifetime_s=900)
    return lambda token: tokens.verify(token, NOW * 1000)


VERIFIERS = pytest.mark.parametrize("verifier", [the_guard, the_server], ids=["guard", "server"])


@VERIFIERS
@pytest.mark.parametrize("row", ROWS, ids=[f"{row['source']} {row['name']}" for row in ROWS])
def test_KA_001_KA_003_KA_005_KA_006_KA_007_KA_010_KA_011_KA_012_KA_016_each_hostile_token_has_its_outcome(
    row: dict[str, Any], verifier: Callable[[], Verify]
) -> None:
    verify = verifier()
    token = forge(row, key(), NOW)
    for _ in range(2):  # the second time from whatever was remembered
        assert outcome(verify, token) == row["outcome"]


@VERIFIERS
def test_KA_010_what_is_too_long_costs_no_memory(verifier: Callable[[], Verify]) -> None:
    verify, token = verifier(), forge({"form": "enormous"}, key(), NOW)
    tracemalloc.start()
    try:
        assert outcome(verify, token) == "unauthorized"
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@VERIFIERS
def test_KA_013_no_remembered_token_answers_for_another(verifier: Callable[[], Verify]) -> None:
    verify = verifier()
    people = [f"{n:022d}" for n in range(300)]
    tokens = {sub: forge({"claims": {"sub": sub, "jti": sub}}, key(), NOW) for sub in people}
    for _ in range(2):
        for sub, token in tokens.items():
            assert getattr(verify(token), "sub", None) == sub
            # The same claims under a stranger's signature are not the remembered token.
            stolen = token.rpartition(".")[0] + "." + forge({}, STRANGER, NOW).rpartition(".")[2]
            assert outcome(verify, stolen) == "unauthorized"


def outcome(verify: Verify, token: str) -> str:
    try:
        verify(token)
    except Refusal as refusal:
        quotes = len(token) > 10 and token[:60] in refusal.detail
        return "quotes the token" if quotes else refusal.code
    return "good"
