"""Public keys as JSON Web Keys, and sets of them.

Spec: RFC 7517 (JWK, JWKS), RFC 7518 section 6 (EC, RSA), RFC 8037 (OKP), RFC 7638 (thumbprint as `kid`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from msgspec import UNSET, Struct, UnsetType, convert, json
from msgspec import ValidationError as WrongShape

from sekisho.rfc import base64url, strict_json
from sekisho.rfc.keys import (
    MAX_RSA_BITS,
    Ed25519PublicKey,
    Es256PublicKey,
    KeyRefused,
    PublicKey,
    Rs256PublicKey,
)

MAX_JWKS_BYTES = 64 * 1024
MAX_KEYS = 100

T = TypeVar("T")


def to_jwk(key: PublicKey) -> dict[str, str]:
    """Return the members that a JWKS shows. Public ones only: there is nothing else in the key."""
    return {**key.members, "alg": key.alg, "kid": key.kid, "use": "sig"}


def render_jwk(key: PublicKey) -> str:
    """Return the JWK as JSON text."""
    return json.encode(to_jwk(key)).decode()


def render_jwks(keys: Iterable[PublicKey]) -> bytes:
    """Return the JSON that `/.well-known/jwks.json` answers."""
    return json.encode({"keys": [to_jwk(key) for key in keys]})


def parse_jwk(text: str | bytes) -> PublicKey:
    """Return the public key that the JSON shows. Untrusted; bounded here.

    Raises:
        KeyRefused: malformed, private, symmetric, too weak, or for something else than signatures.
    """
    return _public_key(_read(text, _JWK))


def parse_jwks(text: str | bytes) -> dict[str, PublicKey]:
    """Return the usable keys of a set by `kid` (the thumbprint where a key has none).

    Keys that we cannot use are passed over, as RFC 7517 section 5 asks: an issuer may publish kinds
    that come after us.

    Raises:
        KeyRefused: not a set, too large, or two keys under one `kid`.
    """
    keys = _read(text, _JWKS).keys
    if len(keys) > MAX_KEYS:
        raise KeyRefused("too many keys")
    found: dict[str, PublicKey] = {}
    for members in keys:
        try:
            jwk = convert(members, _Jwk)
            key = _public_key(jwk)
        except (WrongShape, KeyRefused):
            continue
        kid = key.kid if isinstance(jwk.kid, UnsetType) else jwk.kid
        if kid in found:
            raise KeyRefused("two keys have one kid")
        found[kid] = key
    return found


class _Jwk(Struct, frozen=True):
    """`d` and `k` only to see that they are absent: a private key that was published is burnt."""

    kty: str
    kid: str | UnsetType = UNSET
    alg: str | UnsetType = UNSET
    use: str | UnsetType = UNSET
    key_ops: list[str] | UnsetType = UNSET
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""
    d: object = UNSET
    k: object = UNSET


class _Jwks(Struct, frozen=True):
    keys: list[dict[str, object]]


_JWK = json.Decoder(_Jwk)
_JWKS = json.Decoder(_Jwks)


def _read(text: str | bytes, decoder: json.Decoder[T]) -> T:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MAX_JWKS_BYTES:
        raise KeyRefused("too long")
    try:
        return strict_json.read(data, decoder)
    except strict_json.JsonError as error:
        raise KeyRefused(str(error)) from None


def _public_key(jwk: _Jwk) -> PublicKey:
    if jwk.d is not UNSET or jwk.k is not UNSET:
        raise KeyRefused("not a public key")
    if jwk.use not in (UNSET, "sig") or (not isinstance(jwk.key_ops, UnsetType) and "verify" not in jwk.key_ops):
        raise KeyRefused("not for verifying signatures")
    try:
        key = _by_kind(jwk)
    except KeyRefused:
        raise
    except ValueError:
        raise KeyRefused("malformed members") from None
    if jwk.alg not in (UNSET, key.alg):
        raise KeyRefused("another algorithm")
    return key


def _by_kind(jwk: _Jwk) -> PublicKey:
    match jwk.kty, jwk.crv:
        case "EC", "P-256":
            numbers = ec.EllipticCurvePublicNumbers(_exactly_32(jwk.x), _exactly_32(jwk.y), ec.SECP256R1())
            return Es256PublicKey(numbers.public_key())
        case "OKP", "Ed25519":
            raw = base64url.decode(jwk.x, 32)
            return Ed25519PublicKey(ed25519.Ed25519PublicKey.from_public_bytes(raw))
        case "RSA", "":
            return Rs256PublicKey(rsa.RSAPublicNumbers(_unsigned(jwk.e, 4), _unsigned(jwk.n)).public_key())
    raise KeyRefused("no such kind of key")


def _exactly_32(text: str) -> int:
    data = base64url.decode(text, 32)
    if len(data) != 32:
        raise KeyRefused("a coordinate is not 32 bytes long")
    return int.from_bytes(data, "big")


def _unsigned(text: str, max_bytes: int = MAX_RSA_BITS // 8) -> int:
    data = base64url.decode(text, max_bytes)
    if data[:1] in (b"", b"\0"):
        raise KeyRefused("a number is not in its shortest form")
    return int.from_bytes(data, "big")
