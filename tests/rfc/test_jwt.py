"""JWT: round trips, tampering in every byte, one spelling, and everything that a header may not ask for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rfc.by_hand import (
    ALL_KEYS,
    ALPHABET,
    ANY_OBJECT,
    DECODER,
    ED25519,
    ES256,
    HS256,
    TYP,
    Claims,
    handmade,
    header,
    only,
    public,
    verify,
)
from rfc.published import HS256_SECRET, HS256_TOKEN
from sekisho.rfc import base64url, jwt
from sekisho.rfc.keys import SigningKey, SymmetricKey


def test_the_hs256_token_of_rfc_7515_a_1_verifies() -> None:
    key = SymmetricKey(base64url.decode(HS256_SECRET, 64))
    found = jwt.verify(HS256_TOKEN, typ="JWT", find_key=lambda _: key, claims=ANY_OBJECT)
    assert found.claims == {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.alg)
def test_a_signed_token_verifies_and_says_whose_key_it_was(key: SigningKey) -> None:
    token = jwt.Signer(key, TYP).sign(Claims(sub="花子", exp=7))
    verified = jwt.verify(token, typ=TYP, find_key=only(public(key)), claims=DECODER)
    assert (verified.kid, verified.claims) == (key.kid, Claims(sub="花子", exp=7))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=20), st.text(max_size=40) | st.integers(-(2**53), 2**53) | st.booleans(), max_size=8
    )
)
def test_any_claims_survive_the_round_trip(claims: dict[str, Any]) -> None:
    token = jwt.Signer(ED25519, TYP).sign(claims)
    assert jwt.verify(token, typ=TYP, find_key=only(ED25519.public), claims=ANY_OBJECT).claims == claims


@pytest.mark.parametrize("key", [ES256, ED25519, HS256], ids=lambda key: key.alg)
def test_a_change_of_any_character_is_refused(key: SigningKey) -> None:
    token = jwt.Signer(key, TYP).sign(Claims(sub="a"))
    for place, character in enumerate(token):
        other = ALPHABET[(ALPHABET.find(character) + 1) % 64]
        with pytest.raises(jwt.JwtError):
            verify(token[:place] + other + token[place + 1 :], key)


@pytest.mark.parametrize("key", [ES256, ED25519, HS256], ids=lambda key: key.alg)
def test_no_second_spelling_of_a_token_is_accepted(key: SigningKey) -> None:
    token = jwt.Signer(key, TYP).sign(Claims(sub="a"))
    head, body, signature = token.split(".")
    last = [f"{head}.{body}.{signature[:-1]}{character}" for character in ALPHABET if character != signature[-1]]
    padded = [
        token + "=",
        f"{head}=.{body}.{signature}",
        token + "\n",
        " " + token,
        token.replace(".", "..", 1),
        token + ".",
    ]
    for spelling in [*last, *padded]:
        with pytest.raises(jwt.JwtError):
            verify(spelling, key)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text(alphabet=ALPHABET + ".", max_size=80))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(jwt.JwtError):
        verify(text)


def test_a_name_that_is_given_twice_is_refused_in_header_and_claims_at_any_depth() -> None:
    twice = json.dumps(header()).encode()[:-1] + b', "typ": "test+jwt"}'
    with pytest.raises(jwt.Malformed, match="twice"):
        verify(handmade(twice))
    for body in (b'{"sub":"a","sub":"b"}', b'{"sub":"a","\\u0073ub":"b"}', b'{"sub":"a","x":[{"y":1,"y":1}]}'):
        with pytest.raises(jwt.Malformed, match="twice"):
            verify(handmade(header(), body))


@pytest.mark.parametrize("extension", [["b64"], ["exp"], [], None, "b64"])
def test_any_crit_is_refused(extension: object) -> None:
    with pytest.raises(jwt.HeaderRefused, match="crit"):
        verify(handmade(header(crit=extension, b64=False)))


@pytest.mark.parametrize(
    "body",
    [
        b'{"sub":1}', b"{}", b"[]", b'"a"', b"null", b"", b"\xff", b'{"sub":"\xff"}', b'{"sub":"\\ud800"}',
        b'{"sub":"a"} x',
        b'{"sub":"a","x":' + b"[" * 3000 + b"]" * 3000 + b"}", b'{"sub":"a",}', b"\xef\xbb\xbf" + b'{"sub":"a"}',
    ],
)  # fmt: skip
def test_signed_claims_of_another_shape_are_refused(body: bytes) -> None:
    with pytest.raises(jwt.Malformed):
        verify(handmade(header(), body))


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "TEST+JWT", "application/test+jwt", "", None, 7])
def test_V9_2_2_only_the_exact_typ_is_accepted(typ: object) -> None:
    with pytest.raises((jwt.HeaderRefused, jwt.Malformed)):
        verify(handmade(header(typ=typ)))
    with pytest.raises(jwt.HeaderRefused, match="typ"):
        verify(handmade({"alg": ES256.alg, "kid": ES256.kid}))


@pytest.mark.parametrize(
    "exp", [b'"1"', b"true", b"null", b"[1]", b"1e400", b"-1e400", b"NaN", b"Infinity", b"9" * 5000, b'{"a":1}']
)
def test_V9_2_1_a_time_that_is_not_a_number_is_refused(exp: bytes) -> None:
    with pytest.raises(jwt.Malformed):
        verify(handmade(header(), b'{"sub":"a","exp":' + exp + b"}"))


@pytest.mark.parametrize("date", [float("nan"), float("inf"), -float("inf"), 2**53, -(2**60), 10**300, 1e300])
def test_V9_2_1_a_time_out_of_range_is_refused(date: float) -> None:
    with pytest.raises(jwt.Malformed, match="range"):
        jwt.milliseconds(date)


def test_V9_2_1_times_may_have_fractions() -> None:
    assert verify(handmade(header(), b'{"sub":"a","exp":1.5}')).exp == 1.5
    assert jwt.milliseconds(1.5) == 1500
    assert jwt.milliseconds(2**53 - 1) == (2**53 - 1) * 1000


@pytest.mark.parametrize("kid", ["../../etc/passwd", "' OR 1=1 --", "http://evil.example/key", "x" * 500, "", "\0"])
def test_V9_1_3_a_hostile_kid_is_only_looked_up(kid: str) -> None:
    with pytest.raises(jwt.UnknownKey):
        verify(handmade(header(kid=kid)))


def test_V9_1_3_a_kid_of_10_kb_is_refused_unread() -> None:
    with pytest.raises(jwt.Malformed, match="too long"):
        verify(handmade(header(kid="x" * 10_000)))
    with pytest.raises(jwt.Malformed, match="header too long"):
        verify(handmade(header(kid="x" * 2_000)))


def test_V9_1_1_the_claims_of_an_unsigned_token_are_not_even_parsed() -> None:
    good = handmade(header())
    forged = ".".join([*good.split(".")[:1], base64url.encode(b"not json"), good.split(".")[2]])
    with pytest.raises(jwt.BadSignature):
        verify(forged)


def test_claims_too_long_for_a_token_are_not_signed() -> None:
    with pytest.raises(ValueError, match="too long"):
        jwt.Signer(HS256, TYP).sign({"sub": "x" * 8000})
