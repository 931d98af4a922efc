"""Refresh tokens and session cookies: one spelling each, nothing forged gets in, neither passes as the other."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sekisho.errors import RefreshTokenInvalid, Unauthorized
from sekisho.master_secret import MasterSecret
from sekisho.model import SessionId
from sekisho.rfc import base64url
from sekisho.tokens.refresh_token import MAX_COUNTER, Presented, RefreshTokens
from sekisho.tokens.session_cookie import SessionCookies
from sekisho.tokens.session_values import new_session_id, new_session_secret

MASTER = MasterSecret(b"0123456789abcdef0123456789abcdef")
TOKENS, COOKIES = RefreshTokens(MASTER), SessionCookies(MASTER)
SESSION, SECRET = new_session_id(), new_session_secret()
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

sixteen_bytes = st.binary(min_size=16, max_size=16)


@given(sixteen_bytes, sixteen_bytes, st.integers(0, MAX_COUNTER))
def test_what_is_minted_opens_to_the_same(session: bytes, secret: bytes, counter: int) -> None:
    session_id = SessionId(base64url.encode(session))
    token = TOKENS.mint(session_id, secret, counter)
    assert len(token) == 107
    assert TOKENS.open(token) == Presented(session_id, secret, counter, session + secret)
    assert TOKENS.mint(session_id, secret, counter) == token


@given(sixteen_bytes, sixteen_bytes)
def test_what_is_minted_as_a_cookie_opens_to_the_same(session: bytes, secret: bytes) -> None:
    session_id = SessionId(base64url.encode(session))
    presented = COOKIES.open(COOKIES.mint(session_id, secret))
    assert (presented.session_id, presented.secret) == (session_id, secret)


def test_the_successor_is_one_and_the_same_and_keeps_session_and_secret() -> None:
    presented = TOKENS.open(TOKENS.mint(SESSION, SECRET, 7))
    assert TOKENS.successor(presented) == TOKENS.successor(presented) == TOKENS.mint(SESSION, SECRET, 8)


def test_the_secret_hash_is_what_a_row_keeps() -> None:
    assert TOKENS.open(TOKENS.mint(SESSION, SECRET, 0)).secret_hash == hashlib.sha256(SECRET).digest()
    assert COOKIES.open(COOKIES.mint(SESSION, SECRET)).secret_hash == hashlib.sha256(SECRET).digest()


def test_a_change_of_any_character_to_any_other_is_refused() -> None:
    token = TOKENS.mint(SESSION, SECRET, 1)
    for place in range(len(token)):
        for other in (set(ALPHABET) | set("=+/. \n")) - {token[place]}:
            with pytest.raises(RefreshTokenInvalid):
                TOKENS.open(token[:place] + other + token[place + 1 :])


def test_a_change_of_any_bit_is_refused_in_tokens_and_cookies() -> None:
    token, cookie = TOKENS.mint(SESSION, SECRET, 1), COOKIES.mint(SESSION, SECRET)
    data = base64url.decode(token[4:], 77)
    for bit in range(len(data) * 8):
        flipped = (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")
        with pytest.raises(RefreshTokenInvalid, match=r"bad MAC|another version or key"):
            TOKENS.open("skr_" + base64url.encode(flipped))
    data = base64url.decode(cookie[4:], 69)
    for bit in range(len(data) * 8):
        flipped = (int.from_bytes(data, "big") ^ (1 << bit)).to_bytes(len(data), "big")
        with pytest.raises(Unauthorized, match=r"bad MAC|another version or key"):
            COOKIES.open("sks_" + base64url.encode(flipped))


def test_no_second_spelling_is_accepted() -> None:
    token = TOKENS.mint(SESSION, SECRET, 1)
    last = ALPHABET.index(token[-1])
    twins = [token[:-1] + ALPHABET[last ^ unused] for unused in (1, 2, 3)]
    for twin in twins:
        with pytest.raises(RefreshTokenInvalid, match="not canonical"):
            TOKENS.open(twin)
    for spelling in (token + "=", token + "\n", " " + token, token.upper(), token[4:], "SKR_" + token[4:], token[:-1]):
        with pytest.raises(RefreshTokenInvalid):
            TOKENS.open(spelling)


@settings(max_examples=200)
@given(st.text(max_size=120) | st.text(min_size=103, max_size=103).map(lambda text: "skr_" + text))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(RefreshTokenInvalid):
        TOKENS.open(text)
    with pytest.raises(Unauthorized):
        COOKIES.open(text)


def test_a_token_is_no_cookie_and_a_cookie_no_token() -> None:
    token, cookie = TOKENS.mint(SESSION, SECRET, 1), COOKIES.mint(SESSION, SECRET)
    for value in (token, "sks_" + token[4:], "sks_" + token[4:96]):
        with pytest.raises(Unauthorized):
            COOKIES.open(value)
    for value in (cookie, "skr_" + cookie[4:], "skr_" + cookie[4:].ljust(103, "A")):
        with pytest.raises(RefreshTokenInvalid):
            TOKENS.open(value)


def test_tokens_and_cookies_have_keys_of_their_own() -> None:
    token = base64url.decode(TOKENS.mint(SESSION, SECRET, 1)[4:], 77)
    cookie = base64url.decode(COOKIES.mint(SESSION, SECRET)[4:], 69)
    assert token[1:5] != cookie[1:5]


def test_another_master_secret_opens_nothing() -> None:
    with pytest.raises(RefreshTokenInvalid, match="another version or key"):
        RefreshTokens(MasterSecret(b"x" * 32)).open(TOKENS.mint(SESSION, SECRET, 1))


def test_an_enormous_token_costs_no_memory() -> None:
    enormous = "skr_" + "A" * 20_000_000
    tracemalloc.start()
    try:
        with pytest.raises(RefreshTokenInvalid, match="length"):
            TOKENS.open(enormous)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("session", "secret", "counter"),
    [("AAAA", SECRET, 0), (SESSION, b"short", 0), (SESSION, SECRET, -1), (SESSION, SECRET, MAX_COUNTER + 1)],
    ids=["short session id", "short secret", "negative counter", "counter too large"],
)
def test_values_that_do_not_fit_are_not_minted(session: SessionId, secret: bytes, counter: int) -> None:
    with pytest.raises(ValueError, match=r"range|length|long|canonical"):
        TOKENS.mint(session, secret, counter)


def test_neither_repr_nor_refusal_shows_the_secret() -> None:
    token = TOKENS.mint(SESSION, b"very secret 16by", 1)
    assert "secret" not in repr(TOKENS.open(token))
    assert "secret" not in repr(COOKIES.open(COOKIES.mint(SESSION, b"very secret 16by")))
    with pytest.raises(RefreshTokenInvalid) as refusal:
        TOKENS.open(token[:-2] + "AA")
    assert token[20:60] not in repr(refusal.value)


def test_new_values_are_128_random_bits() -> None:
    assert len({new_session_id() for _ in range(100)}) == len({new_session_secret() for _ in range(100)}) == 100
    assert {len(new_session_id()), len(new_session_secret())} == {22, 16}
