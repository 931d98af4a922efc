"""Typed keys: published signatures, and no kind that passes as another."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from rfc.published import (
    ED25519_JWK,
    ED25519_SECRET,
    ED25519_THUMBPRINT,
    ED25519_TOKEN,
    ES256_JWK,
    ES256_TOKEN,
    RSA_JWK,
    RSA_THUMBPRINT,
)
from sekisho.rfc import base64url
from sekisho.rfc.jwk import MAX_JWKS_BYTES, parse_jwk, parse_jwks, render_jwk, render_jwks, to_jwk
from sekisho.rfc.keys import (
    Ed25519PublicKey,
    Es256PrivateKey,
    Es256PublicKey,
    KeyRefused,
    Rs256PublicKey,
    SymmetricKey,
    ed25519_key,
    new_private_key,
    private_key,
)


def cut(token: str) -> tuple[bytes, bytes]:
    signed, _, signature = token.rpartition(".")
    return signed.encode(), base64url.decode(signature, 600)


def test_the_es256_token_of_rfc_7515_a_3_verifies() -> None:
    key, (signed, signature) = parse_jwk(ES256_JWK), cut(ES256_TOKEN)
    key.verify(signed, signature)
    for place in range(64):
        with pytest.raises(InvalidSignature):
            key.verify(signed, signature[:place] + bytes([signature[place] ^ 1]) + signature[place + 1 :])


def test_the_ed25519_signature_of_rfc_8037_a_4_is_made_and_verified() -> None:
    raw = base64url.decode(ED25519_SECRET, 32)
    key, (signed, signature) = private_key(ed25519.Ed25519PrivateKey.from_private_bytes(raw)), cut(ED25519_TOKEN)
    assert key.sign(signed) == signature
    parse_jwk(ED25519_JWK).verify(signed, signature)


@pytest.mark.parametrize(("jwk", "thumbprint"), [(RSA_JWK, RSA_THUMBPRINT), (ED25519_JWK, ED25519_THUMBPRINT)])
def test_thumbprints_of_rfc_7638_and_8037(jwk: str, thumbprint: str) -> None:
    assert parse_jwk(jwk).kid == thumbprint


@pytest.mark.parametrize("alg", ["ES256", "Ed25519", "RS256"])
def test_a_public_key_survives_its_jwk(alg: str) -> None:
    key = new_private_key(alg).public
    again = parse_jwk(render_jwk(key))
    assert type(again) is type(key)
    assert to_jwk(again) == to_jwk(key) == {**key.members, "alg": alg, "kid": key.kid, "use": "sig"}
    assert parse_jwks(render_jwks([key])).keys() == {key.kid}


def test_es256_signatures_are_64_bytes_and_der_or_another_length_is_refused() -> None:
    key = new_private_key("ES256")
    assert isinstance(key, Es256PrivateKey)
    good = key.sign(b"data")
    assert len(good) == 64
    der = key.material.sign(b"data", ec.ECDSA(SHA256()))
    for not_raw in (der, b"", bytes(64), good + b"\0", good[:32] + b"\0" + good[32:], good[:63]):
        with pytest.raises(InvalidSignature):
            key.public.verify(b"data", not_raw)


def test_a_new_rsa_key_has_3072_bits_and_a_small_one_is_refused() -> None:
    made = new_private_key("RS256").material
    assert isinstance(made, rsa.RSAPrivateKey)
    assert made.key_size == 3072
    with pytest.raises(KeyRefused):
        private_key(rsa.generate_private_key(65537, 1024))


def test_other_curves_and_algorithms_are_refused() -> None:
    with pytest.raises(KeyRefused):
        private_key(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(KeyRefused):
        new_private_key("HS256")
    with pytest.raises(KeyRefused):
        new_private_key("none")


@pytest.mark.parametrize("kind", [Es256PublicKey, Ed25519PublicKey, Rs256PublicKey])
def test_a_public_key_is_never_made_of_bytes_or_of_another_kind(kind: type) -> None:
    for wrong in (b"x" * 32, "x" * 32, SymmetricKey(b"x" * 32), ec.generate_private_key(ec.SECP256R1()), None):
        with pytest.raises(KeyRefused):
            kind(wrong)


@pytest.mark.parametrize(
    ("jwk", "why"),
    [
        (ES256_JWK.replace('"kty"', '"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","kty"'), "not a public key"),
        (ES256_JWK.replace("}", ',"use":"enc"}'), "not for verifying"),
        (ES256_JWK.replace("}", ',"key_ops":["sign"]}'), "not for verifying"),
        (ES256_JWK.replace("}", ',"alg":"HS256"}'), "another algorithm"),
        (ES256_JWK.replace("}", ',"crv":"P-256"}'), "twice"),
        (ES256_JWK.replace("f83O", "g83O"), "malformed"),
        (ES256_JWK.replace("P-256", "P-384"), "no such kind"),
        (ES256_JWK.replace("IWI5a0", "a0"), "32 bytes"),
        (ES256_JWK.replace("IWI5a0", "IWI5a1"), "malformed"),
        ('{"kty":"RSA","n":"AQAB","e":"AQAB"}', "malformed|2048"),
        (RSA_JWK.replace('"0vx7', '"AAAA0vx7'), "shortest"),
        (RSA_JWK.replace("AQAB", "AA"), "shortest"),
        (RSA_JWK.replace("AQAB", "Ag"), "malformed"),
        (ED25519_JWK.replace("HURo", "HU"), "malformed"),
        ('{"kty":"oct","k":""}', "not a public key"),
        ('{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}', "not a public key"),
        ('{"kty":["EC"]}', "shape"),
        ("[]", "shape"),
        ("", "shape"),
    ],
)
def test_jwks_that_are_private_symmetric_weak_or_malformed_are_refused(jwk: str, why: str) -> None:
    with pytest.raises(KeyRefused, match=why):
        parse_jwk(jwk)


def key_set(*jwks: str) -> str:
    return '{"keys":[' + ",".join(jwks) + "]}"


def test_a_set_passes_over_keys_that_it_cannot_use() -> None:
    found = parse_jwks(key_set(RSA_JWK, '{"kty":"oct","k":""}', '{"kty":"FUTURE"}', '{"kid":7}', ED25519_JWK))
    assert found.keys() == {"2011-04-29", ED25519_THUMBPRINT}


def test_a_set_with_two_keys_of_one_kid_or_too_many_is_refused() -> None:
    with pytest.raises(KeyRefused, match="one kid"):
        parse_jwks(key_set(RSA_JWK, RSA_JWK))
    with pytest.raises(KeyRefused, match="too many"):
        parse_jwks(key_set(*["{}"] * 101))
    with pytest.raises(KeyRefused, match="too long"):
        parse_jwks(b" " * (MAX_JWKS_BYTES + 1))


def test_secret_keys_show_nothing_of_themselves() -> None:
    assert "secret" not in repr(SymmetricKey(b"secret" * 6))
    assert repr(new_private_key("Ed25519")).startswith("<Ed25519PrivateKey ")


def test_a_seed_always_gives_the_same_key_and_only_one_of_32_bytes() -> None:
    assert ed25519_key(b"s" * 32).kid == ed25519_key(b"s" * 32).kid != ed25519_key(b"t" * 32).kid
    with pytest.raises(KeyRefused):
        ed25519_key(b"s" * 31)
