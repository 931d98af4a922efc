"""Pepper: a key of the server that goes into every password hash: a stolen database alone gives a cracker nothing.

    $pepper$<key id>$argon2id$…   the hash of HMAC-SHA256(pepper, password)

The key id names the pepper without telling it: a new pepper takes over while the previous one still verifies, and each
hash moves at its owner's next login. A pepper that is lost takes every password with it.

Spec: NIST SP 800-63B-4 section 3.1.1.2 (keyed hashing); ASVS 11.4.2.
"""

from __future__ import annotations

import hmac
from base64 import b64encode

from sekisho.rfc import base64url

PREFIX = "$pepper$"
_KEY_ID_BYTES = 6


class Peppers:
    """The pepper of new hashes (None: they get none), and the one that still verifies. Shows nothing of them."""

    __slots__ = ("_by_id", "_current")

    def __init__(self, current: bytes | None = None, previous: bytes | None = None) -> None:
        self._by_id = {_key_id(pepper): pepper for pepper in (previous, current) if pepper is not None}
        self._current = "" if current is None else _key_id(current)

    def __repr__(self) -> str:
        return f"<{len(self._by_id)} peppers>"

    def applied(self, secret: bytes) -> bytes:
        """Return what is hashed for a new password: the password itself where there is no pepper."""
        return self._keyed(self._current, secret) if self._current else secret

    def mark(self, encoded: str) -> str:
        """Return a new hash with the name of the pepper in it."""
        return f"{PREFIX}{self._current}{encoded}" if self._current else encoded

    def opened(self, encoded: str, secret: bytes) -> tuple[str, bytes] | None:
        """Return the hash without its pepper and what it was made of, or None if its pepper is not here."""
        if not encoded.startswith(PREFIX):
            return encoded, secret
        key_id, _, inner = encoded.removeprefix(PREFIX).partition("$")
        return (f"${inner}", self._keyed(key_id, secret)) if key_id in self._by_id else None

    def is_current(self, encoded: str) -> bool:
        """Whether a hash has the pepper that new ones get, or none where new ones get none."""
        if not self._current:
            return not encoded.startswith(PREFIX)
        return encoded.startswith(f"{PREFIX}{self._current}$")

    def _keyed(self, key_id: str, secret: bytes) -> bytes:
        # In base64: bcrypt ends at a zero byte. 44 characters fit its 72.
        return b64encode(hmac.digest(self._by_id[key_id], secret, "sha256"))


def _key_id(pepper: bytes) -> str:
    return base64url.encode(hmac.digest(pepper, b"sekisho pepper key id", "sha256")[:_KEY_ID_BYTES])
