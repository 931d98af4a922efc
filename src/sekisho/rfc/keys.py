"""Keys for signatures, one class per kind, so that no key can be used as another kind.

Each class has exactly one algorithm; nothing in a token can choose another. Public keys are
objects of the crypto library and symmetric keys are bytes: neither constructor takes the other's
material, so a public key can never be an HMAC secret (the oldest JWT attack).

Spec: RFC 7518 section 3 (ES256, RS256, HS256), RFC 8037 and 9864 (Ed25519), RFC 7638 (thumbprint).
"""

from __future__ import annotations

import hashlib
import hmac
from abc import ABC, abstractmethod
from typing import ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import json

from sekisho.rfc import base64url

MIN_SYMMETRIC_BYTES = 32
MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
NEW_RSA_BITS = 3072
ED25519_SEED_BYTES = 32

PrivateMaterial = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey

_ECDSA_SHA256 = ec.ECDSA(SHA256())
_PKCS1 = padding.PKCS1v15()
_SHA256 = SHA256()
_P256_BYTES = 32


class KeyRefused(ValueError):
    """Material that is too weak, of another kind, or malformed. Never quotes it."""


class PublicKey(ABC):
    """Verifies signatures of one algorithm. `kid` is the RFC 7638 thumbprint.

    members: the required JWK members, in lexicographic order (what the thumbprint covers).
    """

    __slots__ = ("kid", "members")
    alg: ClassVar[str]

    def __init__(self, members: dict[str, str]) -> None:
        self.members = members
        self.kid = base64url.encode(hashlib.sha256(json.encode(members, order="sorted")).digest())

    @abstractmethod
    def verify(self, data: bytes, signature: bytes) -> None:
        """Return if the signature is good.

        Raises:
            cryptography.exceptions.InvalidSignature: it is not, whatever the reason.
        """


class PrivateKey(ABC):
    """Signs with one algorithm. `public` is its other half; the repr shows nothing secret.

    material: the crypto library's object, for whoever must seal and keep it.
    """

    __slots__ = ("kid", "material", "public")
    alg: ClassVar[str]
    material: PrivateMaterial

    def __init__(self, public: PublicKey) -> None:
        self.public = public
        self.kid = public.kid

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kid}>"

    @abstractmethod
    def sign(self, data: bytes) -> bytes:
        """Return the signature in its JWS form."""


class Es256PublicKey(PublicKey):
    __slots__ = ("_key",)
    alg = "ES256"

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyRefused("not a P-256 public key")
        point = key.public_numbers()
        super().__init__({"crv": "P-256", "kty": "EC", "x": _coordinate(point.x), "y": _coordinate(point.y)})
        self._key = key

    def verify(self, data: bytes, signature: bytes) -> None:
        if len(signature) != 2 * _P256_BYTES:
            raise InvalidSignature
        r, s = int.from_bytes(signature[:_P256_BYTES], "big"), int.from_bytes(signature[_P256_BYTES:], "big")
        self._key.verify(encode_dss_signature(r, s), data, _ECDSA_SHA256)


class Es256PrivateKey(PrivateKey):
    __slots__ = ()
    alg = "ES256"
    material: ec.EllipticCurvePrivateKey

    def __init__(self, material: ec.EllipticCurvePrivateKey) -> None:
        super().__init__(Es256PublicKey(material.public_key()))
        self.material = material

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self.material.sign(data, _ECDSA_SHA256))
        return r.to_bytes(_P256_BYTES, "big") + s.to_bytes(_P256_BYTES, "big")


class Ed25519PublicKey(PublicKey):
    __slots__ = ("_key",)
    alg = "Ed25519"

    def __init__(self, key: ed25519.Ed25519PublicKey) -> None:
        if not isinstance(key, ed25519.Ed25519PublicKey):
            raise KeyRefused("not an Ed25519 public key")
        super().__init__({"crv": "Ed25519", "kty": "OKP", "x": base64url.encode(key.public_bytes_raw())})
        self._key = key

    def verify(self, data: bytes, signature: bytes) -> None:
        self._key.verify(signature, data)


class Ed25519PrivateKey(PrivateKey):
    __slots__ = ()
    alg = "Ed25519"
    material: ed25519.Ed25519PrivateKey

    def __init__(self, material: ed25519.Ed25519PrivateKey) -> None:
        super().__init__(Ed25519PublicKey(material.public_key()))
        self.material = material

    def sign(self, data: bytes) -> bytes:
        return self.material.sign(data)


class Rs256PublicKey(PublicKey):
    __slots__ = ("_key",)
    alg = "RS256"

    def __init__(self, key: rsa.RSAPublicKey) -> None:
        if not isinstance(key, rsa.RSAPublicKey) or not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise KeyRefused(f"not an RSA public key of {MIN_RSA_BITS} to {MAX_RSA_BITS} bits")
        numbers = key.public_numbers()
        super().__init__({"e": _unsigned(numbers.e), "kty": "RSA", "n": _unsigned(numbers.n)})
        self._key = key

    def verify(self, data: bytes, signature: bytes) -> None:
        self._key.verify(signature, data, _PKCS1, _SHA256)


class Rs256PrivateKey(PrivateKey):
    __slots__ = ()
    alg = "RS256"
    material: rsa.RSAPrivateKey

    def __init__(self, material: rsa.RSAPrivateKey) -> None:
        super().__init__(Rs256PublicKey(material.public_key()))
        self.material = material

    def sign(self, data: bytes) -> bytes:
        return self.material.sign(data, _PKCS1, _SHA256)


class SymmetricKey:
    """An HS256 key: whoever can verify can also sign. Never in a JWKS.

    Raises:
        KeyRefused: not bytes, or shorter than 32 (RFC 7518 section 3.2; an unset setting is empty).
    """

    __slots__ = ("_secret", "kid")
    alg: ClassVar[str] = "HS256"

    def __init__(self, secret: bytes) -> None:
        if not isinstance(secret, bytes) or len(secret) < MIN_SYMMETRIC_BYTES:
            raise KeyRefused(f"a symmetric key needs at least {MIN_SYMMETRIC_BYTES} bytes")
        self._secret = secret
        self.kid = base64url.encode(hmac.digest(secret, b"sekisho key id", "sha256")[:12])

    def __repr__(self) -> str:
        return f"<SymmetricKey {self.kid}>"

    def sign(self, data: bytes) -> bytes:
        return hmac.digest(self._secret, data, "sha256")

    def verify(self, data: bytes, signature: bytes) -> None:
        if not hmac.compare_digest(self.sign(data), signature):
            raise InvalidSignature


SigningKey = PrivateKey | SymmetricKey
VerificationKey = PublicKey | SymmetricKey


def private_key(material: object) -> PrivateKey:
    """Return the typed key around a private key of the crypto library.

    Raises:
        KeyRefused: of a kind, curve or size that we do not sign with.
    """
    match material:
        case ec.EllipticCurvePrivateKey():
            return Es256PrivateKey(material)
        case ed25519.Ed25519PrivateKey():
            return Ed25519PrivateKey(material)
        case rsa.RSAPrivateKey():
            return Rs256PrivateKey(material)
    raise KeyRefused("not a private key that we sign with")


def ed25519_key(seed: bytes) -> PrivateKey:
    """Return the Ed25519 key of a 32-byte seed: always the same for the same seed (RFC 8032 section 5.1.5).

    Raises:
        KeyRefused: a seed of another length.
    """
    if len(seed) != ED25519_SEED_BYTES:
        raise KeyRefused(f"an Ed25519 seed has {ED25519_SEED_BYTES} bytes")
    return Ed25519PrivateKey(ed25519.Ed25519PrivateKey.from_private_bytes(seed))


def new_private_key(alg: str) -> PrivateKey:
    """Return a fresh key for `ES256`, `Ed25519` or `RS256` (3072 bits).

    Raises:
        KeyRefused: another algorithm.
    """
    match alg:
        case "ES256":
            return private_key(ec.generate_private_key(ec.SECP256R1()))
        case "Ed25519":
            return private_key(ed25519.Ed25519PrivateKey.generate())
        case "RS256":
            return private_key(rsa.generate_private_key(public_exponent=65537, key_size=NEW_RSA_BITS))
    raise KeyRefused("no such algorithm for a private key")


def _coordinate(value: int) -> str:
    return base64url.encode(value.to_bytes(_P256_BYTES, "big"))


def _unsigned(value: int) -> str:
    return base64url.encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))
