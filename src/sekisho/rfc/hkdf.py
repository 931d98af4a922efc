"""HKDF with SHA-256: many keys from one secret. Spec: RFC 5869."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def hkdf_sha256(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    """Return `length` bytes (at most 8160) that say nothing about the secret or other derivations.

    Args:
        secret: the input keying material; must have enough entropy, this is no password hash.
        info: what the bytes are for; another `info` gives independent bytes.
    """
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(secret)
