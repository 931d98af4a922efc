"""The verifier: what it says of a good token, when a token stops counting, and what remembering never does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from guard.forge import AUDIENCE, ISSUER, forge
from guard.stand_in import GivenKeys
from sekisho.errors import AccessTokenExpired, Unauthorized
from sekisho.guard import Principal, Verifier
from sekisho.rfc.jwk import render_jwks
from sekisho.rfc.keys import KeyRefused, SymmetricKey, new_private_key

NOW = 1_790_000_000
KEY = new_private_key("ES256")
pytestmark = pytest.mark.anyio


class Clock:
    now = float(NOW)

    def __call__(self) -> float:
        return self.now


def a_verifier(clock: Callable[[], float] = lambda: NOW, **more: Any) -> Verifier:
    return Verifier(ISSUER, AUDIENCE, keys=GivenKeys(render_jwks([KEY.public])), clock=clock, **more)


def a_token(**claims: object) -> str:
    return forge({"claims": claims}, KEY, NOW)


async def test_V10_3_3_a_principal_says_who_by_issuer_and_subject_and_how_strong_the_proof_was() -> None:
    table = {"editor": ["articles.write", "articles.read"], "owner": ["articles.delete"]}
    verifier = a_verifier(permissions=table)
    token = a_token(scope="read write", amr=["pwd", "otp"], acr="aal2", tenant={"ids": [1, 2]}, iss=ISSUER)
    expected = Principal(
        sub="A" * 22,
        client_id="web:6f1c",
        session_id="S" * 22,
        scopes=frozenset({"read", "write"}),
        roles=frozenset({"editor"}),
        permissions=frozenset({"articles.write", "articles.read"}),
        amr=("pwd", "otp"),
        acr="aal2",
        auth_time=NOW - 60,
        expires_at=NOW + 600,
        token_id="J" * 22,
    )
    for got in (verifier.verify(token), await verifier.verify_async(token)):
        assert {name: getattr(got, name) for name in expected.__struct_fields__ if name != "claims"} == {
            name: getattr(expected, name) for name in expected.__struct_fields__ if name != "claims"
        }
        assert got.claims["iss"] == ISSUER
        assert got.claims["tenant"]["ids"] == (1, 2)


def test_nobody_can_change_what_the_next_request_with_the_token_sees() -> None:
    verifier, token = a_verifier(), a_token(tenant={"id": 1})
    claims: Any = verifier.verify(token).claims
    for target in (claims, claims["tenant"]):
        with pytest.raises(TypeError):
            target["id"] = 2
    assert "A" * 22 not in repr(claims)


@pytest.mark.parametrize(("audience", "is_good"), [(AUDIENCE, True), ("https://api.example.org", False)])
def test_V10_3_1_a_token_for_another_api_is_refused(audience: str, is_good: bool) -> None:
    verifier = Verifier(ISSUER, audience, keys=GivenKeys(render_jwks([KEY.public])), clock=lambda: NOW)
    if is_good:
        verifier.verify(a_token())
    else:
        with pytest.raises(Unauthorized, match="another audience"):
            verifier.verify(a_token())
    with pytest.raises(ValueError, match="audience"):
        Verifier(ISSUER, "")


def test_KA_017_a_token_of_another_issuer_with_the_very_same_key_is_refused() -> None:
    with pytest.raises(Unauthorized, match="another issuer"):
        a_verifier().verify(a_token(iss="https://other.example.com"))


def test_KA_014_a_remembered_token_ends_when_its_time_or_its_key_does() -> None:
    clock = Clock()
    keys = GivenKeys(render_jwks([KEY.public]))
    verifier = Verifier(ISSUER, AUDIENCE, keys=keys, clock=clock)
    token = a_token()
    verifier.verify(token)
    clock.now = NOW + 599.9
    verifier.verify(token)
    clock.now = NOW + 600
    with pytest.raises(AccessTokenExpired, match="exp"):
        verifier.verify(token)
    clock.now = NOW
    keys.shown.clear()
    with pytest.raises(AccessTokenExpired, match="no longer shown"):
        verifier.verify(token)


def test_only_good_tokens_are_remembered_and_no_more_than_asked_for() -> None:
    verifier = a_verifier(cache_size=3)
    for n in range(10):
        verifier.verify(a_token(jti=str(n)))
        with pytest.raises(Unauthorized):
            verifier.verify(a_token(jti=str(n)) + "A")
    assert verifier.health().remembered == 3


def test_many_threads_and_loops_share_one_verifier() -> None:
    verifier = a_verifier(cache_size=5)
    tokens = {f"{n:022d}": a_token(sub=f"{n:022d}") for n in range(20)}
    wrong: list[object] = []

    def work() -> None:
        for _ in range(20):
            for sub, token in tokens.items():
                if verifier.verify(token).sub != sub or asyncio.run(verifier.verify_async(token)).sub != sub:
                    wrong.append(sub)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert verifier.health().remembered == 5


def test_the_leeway_is_for_the_beginning_of_a_token_alone() -> None:
    clock = Clock()
    verifier = a_verifier(clock, leeway_s=5)
    clock.now = NOW - 5
    verifier.verify(a_token())
    clock.now = NOW - 5.1
    with pytest.raises(Unauthorized, match="clock"):
        verifier.verify(a_token())


@pytest.mark.parametrize("leeway_s", [-1, 61, float("nan"), float("inf")])
def test_a_leeway_that_would_accept_too_much_is_refused(leeway_s: float) -> None:
    with pytest.raises(ValueError, match="leeway_s"):
        a_verifier(leeway_s=leeway_s)


def test_with_hs256_the_shared_key_verifies_and_nothing_is_fetched() -> None:
    secret = "0123456789abcdef0123456789abcdef"
    key = SymmetricKey(secret.encode())
    verifier = Verifier(ISSUER, AUDIENCE, secret_key=secret, clock=lambda: NOW)
    assert verifier.verify(forge({}, key, NOW)).sub == "A" * 22  # type: ignore[arg-type]
    with pytest.raises(Unauthorized):
        verifier.verify(a_token())


@pytest.mark.parametrize("secret", ["", "short", b"x" * 31])
def test_KA_009_an_empty_or_short_shared_key_is_refused_at_the_start(secret: str | bytes) -> None:
    with pytest.raises(KeyRefused):
        Verifier(ISSUER, AUDIENCE, secret_key=secret)


@pytest.mark.parametrize(
    "url",
    ["http://auth.example.com", "auth.example.com", "ftp://auth.example.com", "https://", "https://user:pw@auth.example.com",
     "https://auth.example.com?x=1", "http://127.0.0.1.example.com", "http://169.254.169.254"],
)  # fmt: skip
def test_V12_keys_come_over_https_or_from_this_machine(url: str) -> None:
    with pytest.raises(ValueError, match=r"https://|address"):
        Verifier(ISSUER, AUDIENCE, server_url=url)
    for good in ("http://localhost:8080", "http://127.0.0.1", "http://[::1]:8080", "https://auth.example.com/sekisho/"):
        Verifier(ISSUER, AUDIENCE, server_url=good)
