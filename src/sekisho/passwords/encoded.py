"""Encoded password hashes: make, verify, recognise. Slow on purpose; callers are `HashPool` threads."""

from __future__ import annotations

import re
import secrets
from base64 import b64encode

import argon2
import bcrypt
from argon2.exceptions import Argon2Error, InvalidHash

from sekisho.passwords.parameters import (
    MAX_BCRYPT_ROUNDS,
    MAX_FILLED_KIB,
    MAX_LANES,
    MAX_MEMORY_KIB,
    MAX_PASSES,
    MIN_BCRYPT_ROUNDS,
    Argon2,
    Bcrypt,
    Parameters,
)

BCRYPT_MAX_BYTES = 72

_BCRYPT = re.compile(r"\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}", re.ASCII)
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT_DIGEST_LENGTH = 31
_SALT_BYTES = 16
_DIGEST_BYTES = 32
_MAX_ENCODED_LENGTH = 512


def make_hash(secret: bytes, parameters: Parameters) -> str:
    """Return the encoded hash under a fresh random salt. `secret` fits the algorithm."""
    if isinstance(parameters, Bcrypt):
        return bcrypt.hashpw(secret, bcrypt.gensalt(parameters.rounds)).decode("ascii")
    return _hasher(parameters).hash(secret)


def make_dummy(parameters: Parameters) -> str:
    """Return a well-formed hash with a random salt and a random digest, made from no password: to
    verify against it is the same work as against a real one."""
    if isinstance(parameters, Bcrypt):
        digest = "".join(secrets.choice(_BCRYPT_ALPHABET) for _ in range(_BCRYPT_DIGEST_LENGTH))
        return bcrypt.gensalt(parameters.rounds).decode("ascii") + digest
    cost = f"m={parameters.memory_kib},t={parameters.passes},p={parameters.lanes}"
    return f"$argon2id$v=19${cost}${_random_b64(_SALT_BYTES)}${_random_b64(_DIGEST_BYTES)}"


def is_usable(encoded: str, secret: bytes) -> bool:
    """Whether `encoded` can be verified at a cost that one request may have.

    bcrypt and a secret of more than 72 bytes: no. It would compare the beginning only.
    """
    if rounds := _bcrypt_rounds(encoded):
        return MIN_BCRYPT_ROUNDS <= rounds <= MAX_BCRYPT_ROUNDS and len(secret) <= BCRYPT_MAX_BYTES
    found = _argon2_parameters(encoded)
    return (
        found is not None
        and 1 <= found.memory_cost <= MAX_MEMORY_KIB
        and 1 <= found.time_cost <= MAX_PASSES
        and found.memory_cost * found.time_cost <= MAX_FILLED_KIB
        and 1 <= found.parallelism <= MAX_LANES
    )


def matches(secret: bytes, encoded: str) -> bool:
    """Whether the secret belongs to a usable hash. The libraries compare in constant time."""
    if _bcrypt_rounds(encoded):
        try:
            return bcrypt.checkpw(secret, encoded.encode("ascii"))
        except ValueError:
            return False
    try:
        return argon2.PasswordHasher().verify(encoded, secret)
    except (Argon2Error, InvalidHash):
        return False


def has_parameters(encoded: str, parameters: Parameters) -> bool:
    """Whether `encoded` is what `make_hash` would make today, salt and digest aside."""
    if isinstance(parameters, Bcrypt):
        return encoded.startswith("$2b$") and _bcrypt_rounds(encoded) == parameters.rounds
    return _argon2_parameters(encoded) is not None and not _hasher(parameters).check_needs_rehash(encoded)


def _hasher(parameters: Argon2) -> argon2.PasswordHasher:
    return argon2.PasswordHasher(
        time_cost=parameters.passes,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.lanes,
        hash_len=_DIGEST_BYTES,
        salt_len=_SALT_BYTES,
    )


def _bcrypt_rounds(encoded: str) -> int:
    found = _BCRYPT.fullmatch(encoded)
    return int(found[1]) if found else 0


def _argon2_parameters(encoded: str) -> argon2.Parameters | None:
    if len(encoded) > _MAX_ENCODED_LENGTH or not encoded.isascii():
        return None
    try:
        return argon2.extract_parameters(encoded)
    except (InvalidHash, ValueError):
        return None


def _random_b64(length: int) -> str:
    return b64encode(secrets.token_bytes(length)).decode("ascii").rstrip("=")
