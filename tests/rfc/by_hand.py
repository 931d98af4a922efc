"""Tokens made by hand, good and bad, and the keys for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec import json as msgspec_json

from sekisho.rfc import base64url, jwt
from sekisho.rfc.keys import SigningKey, SymmetricKey, VerificationKey, new_private_key

TYP = "test+jwt"
ES256, ED25519, RS256 = new_private_key("ES256"), new_private_key("Ed25519"), new_private_key("RS256")
HS256 = SymmetricKey(b"0123456789abcdef0123456789abcdef")
ALL_KEYS: list[SigningKey] = [ES256, ED25519, RS256, HS256]
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Claims(Struct):
    sub: str
    exp: jwt.NumericDate = 0


DECODER = msgspec_json.Decoder(Claims)
ANY_OBJECT = msgspec_json.Decoder(dict[str, Any])


def public(key: SigningKey) -> VerificationKey:
    return key if isinstance(key, SymmetricKey) else key.public


def only(key: VerificationKey) -> Callable[[str], VerificationKey]:
    def find(kid: str) -> VerificationKey:
        if kid != key.kid:
            raise jwt.UnknownKey("unknown kid")
        return key

    return find


def verify(token: str, key: SigningKey = ES256) -> Claims:
    return jwt.verify(token, typ=TYP, find_key=only(public(key)), claims=DECODER).claims


def handmade(header: object, body: bytes = b'{"sub":"a"}', key: SigningKey = ES256) -> str:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    signed = f"{base64url.encode(raw)}.{base64url.encode(body)}"
    return f"{signed}.{base64url.encode(key.sign(signed.encode()))}"


def header(key: SigningKey = ES256, **more: object) -> dict[str, object]:
    return {"alg": key.alg, "kid": key.kid, "typ": TYP, **more}
