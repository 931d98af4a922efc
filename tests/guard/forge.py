"""Makes the tokens that `hostile_tokens.json` describes. `NOW`, `KID`, `ISSUER` and `AUDIENCE` in a row are replaced.

header, claims: changes to those of a good token; null leaves a member out. raw_header, raw_body, raw_claim: JSON as it
stands. sign: with what. form: what becomes of the finished token.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sekisho.rfc import base64url
from sekisho.rfc.jwk import render_jwk, render_jwks, to_jwk
from sekisho.rfc.keys import PrivateKey, SymmetricKey, new_private_key

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "hostile_tokens.json").read_text())
STRANGER = new_private_key("ES256")
ISSUER = "https://auth.example.com"
AUDIENCE = "https://api.example.com"


def good_claims(now: int) -> dict[str, Any]:
    return {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "A" * 22,
        "client_id": "web:6f1c",
        "sid": "S" * 22,
        "iat": now,
        "nbf": now,
        "exp": now + 600,
        "jti": "J" * 22,
        "auth_time": now - 60,
        "amr": ["pwd"],
        "acr": "aal1",
        "roles": ["editor"],
    }


def forge(row: dict[str, Any], key: PrivateKey, now: int) -> str:
    """Return the row's token for an issuer with `key`, at `now` in seconds."""
    header = _changed({"alg": key.alg, "kid": key.kid, "typ": "at+jwt"}, row.get("header", {}), key, now)
    claims = _changed(good_claims(now), row.get("claims", {}), key, now)
    head = row["raw_header"].replace("KID", key.kid) if "raw_header" in row else json.dumps(header)
    body = _raw_body(row, json.dumps(claims))
    if row.get("form") == "sub given twice":
        return _signed(f"{base64url.encode(head.encode())}.{base64url.encode(_twice(body))}", "own", key)
    signed = f"{base64url.encode(head.encode())}.{base64url.encode(body)}"
    token = _signed(signed, row.get("sign", "own"), key)
    return _in_form(row["form"], token) if "form" in row else token


def _twice(body: bytes) -> bytes:
    return body[:-1] + b',"sub":"BBBBBBBBBBBBBBBBBBBBBB"}'


def _changed(good: dict[str, Any], changes: dict[str, Any], key: PrivateKey, now: int) -> dict[str, Any]:
    known = {"KID": key.kid, "STRANGER_KID": STRANGER.kid, "STRANGER_JWK": to_jwk(STRANGER.public)}
    merged = good | {name: _filled(value, known, now) for name, value in changes.items()}
    return {name: value for name, value in merged.items() if value is not None}


def _filled(value: Any, known: dict[str, Any], now: int) -> Any:
    if isinstance(value, list):
        return [_filled(inner, known, now) for inner in value]
    if not isinstance(value, str):
        return value
    if value in known:
        return known[value]
    if match := re.fullmatch(r"NOW([+-][0-9.]+)?", value):
        return now + float(match[1]) if match[1] and "." in match[1] else now + int(match[1] or 0)
    return value.replace("KID", known["KID"]).replace("ISSUER", ISSUER).replace("AUDIENCE", AUDIENCE)


def _raw_body(row: dict[str, Any], body: str) -> bytes:
    if "raw_claim" in row:
        name, text = row["raw_claim"]
        rest = {key: value for key, value in json.loads(body).items() if key != name}
        return f'{{"{name}":{text.replace("ISSUER", ISSUER)},{json.dumps(rest)[1:]}'.encode()
    raw = row.get("raw_body")
    if raw is None:
        return body.encode()
    special = {"DEEP": b'{"a":' * 1200 + b"1" + b"}" * 1200, "NOT UTF-8": body.encode()[:-1] + b',"x":"\xff"}'}
    return special.get(raw, raw.encode())


def _signed(signed: str, how: str, key: PrivateKey) -> str:
    if how == "missing":
        return signed
    data = (signed if how != "of another body" else signed[:-4] + "AAAA").encode()
    if how.startswith("hmac:"):
        signature = SymmetricKey.sign(_hmac_key(how.removeprefix("hmac:"), key), data)
    elif how == "der":
        raw = key.sign(data)
        signature = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    elif how == "blank" or how.startswith("text:"):
        return f"{signed}.{how.removeprefix('text:') if how != 'blank' else ''}"
    else:
        signature = (STRANGER if how == "stranger" else key).sign(data)
    return f"{signed}.{base64url.encode(signature)}"


def _hmac_key(what: str, key: PrivateKey) -> SymmetricKey:
    half = key.material.public_key()
    pem = half.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    secret = {
        "pem": pem,
        "der": half.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "openssh": half.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": render_jwk(key.public).encode(),
        "jwks": render_jwks([key.public]),
        "pem:crlf": pem.replace(b"\n", b"\r\n"),
        "pem:no newlines": pem.replace(b"\n", b""),
        "pem:spaces": pem.replace(b"\n", b"  "),
        "pem:upper case": pem.upper(),
        "pem:first half": pem[: len(pem) // 2],
        "pem:doubled": pem * 2,
        "empty": b"",
        "none": b"None",
    }[what]
    weak = SymmetricKey.__new__(SymmetricKey)  # past the check of its length, which no attacker makes
    weak._secret = secret
    weak.kid = key.kid
    return weak


def _in_form(form: str, token: str) -> str:
    head, middle, signature = token.split(".")
    one = {"protected": head, "signature": signature}
    forms = {
        "flattened": json.dumps({"payload": middle, **one}),
        "general": json.dumps({"payload": middle, "signatures": [one]}),
        "general without signatures": json.dumps({"payload": middle, "signatures": []}),
        "an empty list": "[]",
        "an empty object": "{}",
        "dots": "." * 1000,
        "five segments": f"{head}.{signature}.{middle[:16]}.{middle}.{signature}",
        "padded": f"{head}.{middle}.{signature}==",
        "standard alphabet": token.replace("-", "+").replace("_", "/") + "+",
        "line break": token[:40] + "\n" + token[40:],
        "trailing bits": token[:-1] + _next_mark(token[-1]),
        "leading space": " " + token,
        "trailing newline": token + "\n",
        "lower-case scheme in front": "bearer " + token,
        "an empty text": "",
        "a NUL in it": token[:40] + "\0" + token[40:],
        "full-width dots": token.replace(".", "．"),
    }
    if form == "enormous":
        return "A" * 30_000_000 + "." + middle + "." + signature
    return forms[form]


def _next_mark(mark: str) -> str:
    """Return the mark of base64url whose highest bits are alike: the same bytes, spelt otherwise."""
    marks = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return marks[marks.index(mark) ^ 1]
