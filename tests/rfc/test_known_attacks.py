"""What went wrong in other JWT libraries, row by row (KA numbers of the known-attack corpus)."""

from __future__ import annotations

import inspect
import json
import tracemalloc

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from rfc.by_hand import DECODER, ED25519, ES256, HS256, RS256, TYP, handmade, header, only, public, verify
from sekisho.rfc import base64url, jwt
from sekisho.rfc.jwk import parse_jwks, render_jwk, render_jwks, to_jwk
from sekisho.rfc.keys import KeyRefused, PrivateKey, SymmetricKey


def public_texts(key: PrivateKey) -> list[bytes]:
    """All the forms in which people hand public keys about."""
    half = key.material.public_key()
    return [
        half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        half.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        half.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        render_jwk(key.public).encode(),
        render_jwks([key.public]),
        json.dumps(to_jwk(key.public)).encode(),
    ]


@pytest.mark.parametrize("key", [ES256, ED25519, RS256], ids=lambda key: key.alg)
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_KA_001_a_token_signed_with_our_public_key_as_hmac_secret_is_refused(key: PrivateKey, alg: str) -> None:
    for text in public_texts(key):
        token = handmade(header(key, alg=alg), key=SymmetricKey(text.ljust(32, b"\0")))
        with pytest.raises(jwt.AlgorithmMismatch):
            verify(token, key)


def test_KA_002_the_token_never_chooses_the_algorithm() -> None:
    assert "alg" not in inspect.signature(jwt.verify).parameters
    for claimed in (ES256, ED25519, RS256, HS256):
        for key in (ES256, ED25519, RS256, HS256):
            if key is not claimed:
                with pytest.raises(jwt.AlgorithmMismatch):
                    verify(handmade(header(key, alg=claimed.alg), key=claimed), key)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_KA_003_no_transformation_of_a_public_key_makes_hmac_verify(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(public_texts(ES256)))
    start = data.draw(st.integers(0, len(text) - 32))
    changed = text[start:] + data.draw(st.binary(max_size=8))
    changed = changed.replace(b"\n", data.draw(st.sampled_from([b"\n", b"\r\n", b" ", b""]))).ljust(32, b" ")
    alg = data.draw(st.sampled_from(["HS256", "ES256"]))
    with pytest.raises((jwt.AlgorithmMismatch, jwt.BadSignature)):
        verify(handmade(header(alg=alg), key=SymmetricKey(changed)))


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "NONE", "", "es256", "ES256 ", "HS256", "ES384"])
def test_KA_005_none_and_its_spellings_are_refused(alg: str) -> None:
    signed = handmade(header(alg=alg))
    blank = signed.rpartition(".")[0] + "."
    with pytest.raises(jwt.AlgorithmMismatch):
        verify(signed)
    with pytest.raises(jwt.Malformed):
        verify(blank)


def test_KA_005_a_missing_alg_or_a_blank_signature_is_refused() -> None:
    with pytest.raises(jwt.Malformed):
        verify(handmade({"kid": ES256.kid, "typ": TYP}))
    with pytest.raises(jwt.Malformed):
        verify(handmade(header(alg=None)))
    good = handmade(header())
    for token in (good.rpartition(".")[0] + ".", good.rpartition(".")[0]):
        with pytest.raises(jwt.Malformed, match="compact"):
            verify(token)
    with pytest.raises(jwt.BadSignature):
        verify(good.rpartition(".")[0] + ".AA")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
def test_KA_006_a_key_in_the_header_is_refused_even_if_the_signature_is_good(name: str) -> None:
    values: list[object] = [to_jwk(ES256.public), "https://evil.example/jwks.json", ["MIIB"], None, {}]
    for value in values:
        with pytest.raises(jwt.HeaderRefused, match=name):
            verify(handmade(header() | {name: value}))


def test_KA_006_a_token_without_kid_finds_no_key() -> None:
    with pytest.raises(jwt.UnknownKey):
        verify(handmade({"alg": "ES256", "typ": TYP}))


def test_KA_007_json_serialisations_are_refused() -> None:
    head, body, signature = handmade(header()).split(".")
    flat = {"protected": head, "payload": body, "signature": signature}
    general = {"payload": body, "signatures": [{"protected": head, "signature": signature}]}
    values: list[object] = [flat, general, {"payload": body, "signatures": []}, [], {}]
    for value in values:
        with pytest.raises(jwt.Malformed, match="compact"):
            verify(json.dumps(value))


@pytest.mark.parametrize("secret", [b"", b"short", b"x" * 31, None, "x" * 32, 0])
def test_KA_009_an_empty_short_or_missing_hmac_key_is_refused(secret: bytes) -> None:
    with pytest.raises(KeyRefused):
        SymmetricKey(secret)


def test_KA_009_an_unknown_kid_is_an_error_and_a_set_never_yields_a_symmetric_key() -> None:
    symmetric = [{"kty": "oct", "kid": "a", "k": ""}, {"kty": "oct", "kid": "b", "k": "A" * 43}]
    assert parse_jwks(json.dumps({"keys": symmetric})) == {}
    with pytest.raises(jwt.UnknownKey):
        jwt.verify(handmade(header()), typ=TYP, find_key=only(public(ED25519)), claims=DECODER)


def test_KA_010_an_enormous_token_is_refused_before_anything_is_decoded() -> None:
    enormous = ("A" * 30_000_000) + "." + base64url.encode(b"{}") + ".AA"
    tracemalloc.start()
    try:
        with pytest.raises(jwt.Malformed, match="too long"):
            verify(enormous)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_KA_010_the_cap_is_exact() -> None:
    with pytest.raises(jwt.Malformed, match="too long"):
        verify("A" * 8193)
    with pytest.raises(jwt.Malformed, match="compact"):
        verify("A" * 8192)
