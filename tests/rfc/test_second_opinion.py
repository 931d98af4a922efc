"""joserfc as second opinion: each side verifies what the other signed."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt as theirs
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from rfc.by_hand import ALL_KEYS, ED25519, ES256, RS256, TYP, Claims, header, verify
from sekisho.rfc import jwt
from sekisho.rfc.jwk import parse_jwk, render_jwk
from sekisho.rfc.keys import PrivateKey, SigningKey, SymmetricKey

THEIR_KINDS: dict[str, type[ECKey | OKPKey | RSAKey]] = {"ES256": ECKey, "Ed25519": OKPKey, "RS256": RSAKey}


def their_key(key: SigningKey) -> Key:
    if isinstance(key, SymmetricKey):
        return OctKey.import_key(b"0123456789abcdef0123456789abcdef")
    pem = key.material.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return THEIR_KINDS[key.alg].import_key(pem)


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.alg)
def test_we_verify_what_they_sign(key: SigningKey) -> None:
    token = theirs.encode(header(key), {"sub": "花子", "exp": 9}, their_key(key), algorithms=[key.alg])
    assert verify(token, key) == Claims(sub="花子", exp=9)


@pytest.mark.parametrize("key", ALL_KEYS, ids=lambda key: key.alg)
def test_they_verify_what_we_sign(key: SigningKey) -> None:
    token = jwt.Signer(key, TYP).sign(Claims(sub="花子", exp=9))
    decoded = theirs.decode(token, their_key(key), algorithms=[key.alg])
    assert decoded.claims == {"sub": "花子", "exp": 9}
    assert decoded.header == header(key)


@pytest.mark.parametrize("key", [ES256, ED25519, RS256], ids=lambda key: key.alg)
def test_we_agree_on_jwk_and_thumbprint(key: PrivateKey) -> None:
    their_public = THEIR_KINDS[key.alg].import_key(json.loads(render_jwk(key.public)))
    assert their_public.thumbprint() == key.kid
    assert parse_jwk(json.dumps(their_key(key).as_dict(private=False))).kid == key.kid
