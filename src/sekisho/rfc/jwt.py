"""JSON Web Tokens in compact form: signed, and verified strictly.

    bound -> split -> header -> key by kid -> signature -> claims

There is one way in, `verify`: nothing reads claims whose signature was not checked first. The
algorithm belongs to the key, the type to the caller, and the token can choose neither.

Spec: RFC 7515 (JWS), RFC 7519 (JWT), RFC 8725 (best current practice).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from msgspec import UNSET, Struct, json

from sekisho.rfc import base64url, strict_json
from sekisho.rfc.keys import SigningKey, VerificationKey

MAX_TOKEN_CHARS = 8192
MAX_HEADER_CHARS = 1024
MAX_SAFE_INTEGER = 2**53 - 1

NumericDate = int | float

T = TypeVar("T")

_encode_json = json.Encoder().encode


class JwtError(ValueError):
    """A token that proves nothing. `detail` says why, for logs; it never quotes the token."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Malformed(JwtError):
    """Too long, not compact, not canonical, not the JSON that was wanted."""


class HeaderRefused(JwtError):
    """A header that asks for what is never granted: another type, a key of its own, an extension."""


class UnknownKey(JwtError):
    """No key of this `kid`."""


class AlgorithmMismatch(JwtError):
    """The key's one algorithm is not the one in the header."""


class BadSignature(JwtError):
    """The key did not sign this."""


class Verified(Struct, Generic[T], frozen=True):
    """Claims that `kid`'s key signed. Times, issuer and audience are not yet checked."""

    kid: str
    claims: T


class Signer:
    """Makes tokens of one type with one key; the header is encoded once."""

    __slots__ = ("_head", "key")

    def __init__(self, key: SigningKey, typ: str) -> None:
        self.key = key
        self._head = base64url.encode(_encode_json({"alg": key.alg, "kid": key.kid, "typ": typ})) + "."

    def sign(self, claims: object) -> str:
        """Return the compact token. `claims` is anything that msgspec renders as a JSON object.

        Raises:
            ValueError: the token would be longer than anybody reads.
        """
        signing_input = self._head + base64url.encode(_encode_json(claims))
        token = f"{signing_input}.{base64url.encode(self.key.sign(signing_input.encode('ascii')))}"
        if len(token) > MAX_TOKEN_CHARS:
            raise ValueError("the claims are too long for a token")
        return token


def verify(token: str, *, typ: str, find_key: Callable[[str], VerificationKey], claims: json.Decoder[T]) -> Verified[T]:
    """Return the claims of a token whose signature is good.

    Args:
        token: untrusted. Its length is checked before anything is decoded.
        typ: the exact type that is wanted here, so that no other kind of token can stand in.
        find_key: looks the header's `kid` ("" if absent) up and raises `UnknownKey`. `kid` is untrusted:
            use it as a dictionary's key and for nothing else.
        claims: decides the types; a claim of another type is refused.

    Raises:
        JwtError: whichever subclass says why.
    """
    head, body, signature = _split(token)
    header = _read_header(head)
    if header.typ != typ:
        raise HeaderRefused("another typ")
    key = find_key(header.kid)
    if header.alg != key.alg:
        raise AlgorithmMismatch("the key has another alg")
    try:
        key.verify(token[: len(head) + 1 + len(body)].encode("ascii"), _decode(signature))
    except InvalidSignature:
        raise BadSignature("bad signature") from None
    return Verified(header.kid, _read_json(_decode(body), claims))


class _Header(Struct, frozen=True):
    """The last five must not be there at all, not even as null: a key or its address in the token
    would be the attacker's, and an extension that we do not know may change what the rest means."""

    alg: str
    typ: str = ""
    kid: str = ""
    jku: object = UNSET
    jwk: object = UNSET
    x5u: object = UNSET
    x5c: object = UNSET
    crit: object = UNSET


_HEADER = json.Decoder(_Header)


def _split(token: str) -> tuple[str, str, str]:
    if len(token) > MAX_TOKEN_CHARS:
        raise Malformed("too long")
    parts = token.split(".", 3)
    if len(parts) != 3 or not all(parts) or not token.isascii():
        raise Malformed("not in compact form")
    head, body, signature = parts
    return head, body, signature


@lru_cache(maxsize=64)
def _read_header(segment: str) -> _Header:
    # Cached because a key's tokens all begin alike; the cap keeps strangers' headers small in it.
    if len(segment) > MAX_HEADER_CHARS:
        raise Malformed("header too long")
    header = _read_json(_decode(segment), _HEADER)
    for name in ("jku", "jwk", "x5u", "x5c", "crit"):
        if getattr(header, name) is not UNSET:
            raise HeaderRefused(f"{name} in the header")
    return header


def _decode(segment: str) -> bytes:
    try:
        return base64url.decode(segment, MAX_TOKEN_CHARS)
    except base64url.Base64UrlError as error:
        raise Malformed(f"base64url: {error}") from None


def _read_json(data: bytes, decoder: json.Decoder[T]) -> T:
    try:
        return strict_json.read(data, decoder)
    except strict_json.JsonError as error:
        raise Malformed(str(error)) from None


def milliseconds(date: NumericDate) -> int:
    """Return a NumericDate (seconds, perhaps with a fraction) in milliseconds, rounded down.

    Raises:
        Malformed: not finite, or so large that another reader's number would lose digits.
    """
    # A NaN compares false with everything, so it must be asked this way round.
    if not -MAX_SAFE_INTEGER <= date <= MAX_SAFE_INTEGER:
        raise Malformed("a time out of range")
    return int(date * 1000 // 1)
