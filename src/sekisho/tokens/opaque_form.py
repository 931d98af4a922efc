"""The common form of refresh tokens and session cookies: a body of fixed length under a MAC.

    prefix + base64url( version 1 | key id 4 | body | HMAC-SHA256 32 )

A forged or damaged value is refused here, without touching the store. Every value has exactly
one spelling, and a value of one kind never passes as another: each has its own key. The key id says by which
master secret a value was made: one from before the secret was replaced is as good as a new one.

Spec: RFC 2104 (HMAC), RFC 4648 section 5.
"""

from __future__ import annotations

import hmac

from sekisho.master_secret import MasterSecret
from sekisho.rfc import base64url

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_MAC_BYTES = 32


class BadForm(ValueError):
    """Not a value that we made. Says why, never quotes it."""


class OpaqueForm:
    """Packs and unpacks bodies of one kind.

    Args:
        prefix: how people and secret scanners recognise the kind.
        purpose: names the MAC key; one for each kind.
        body_bytes: the exact length of a body.
    """

    __slots__ = ("_chars", "_formers", "_head", "_key", "_prefix", "_total")

    def __init__(self, master: MasterSecret, *, prefix: str, purpose: str, body_bytes: int) -> None:
        self._key = _Key(master, purpose)
        self._head = self._key.head
        self._formers = {key.head: key for key in (_Key(each.secret, purpose) for each in master.formers)}
        self._prefix = prefix
        self._total = len(self._head) + body_bytes + _MAC_BYTES
        self._chars = len(prefix) + (self._total * 4 + 2) // 3

    def pack(self, body: bytes) -> str:
        """Return the one spelling of a body."""
        signed = self._head + body
        return self._prefix + base64url.encode(signed + self._key.mac(signed))

    def unpack(self, value: str) -> bytes:
        """Return the body of a value that `pack` made.

        Args:
            value: untrusted. Its length is checked before anything is decoded.

        Raises:
            BadForm: wrong length, prefix, spelling, version, key or MAC.
        """
        if len(value) != self._chars or not value.startswith(self._prefix):
            raise BadForm("wrong length or prefix")
        try:
            data = base64url.decode(value[len(self._prefix) :], self._total)
        except base64url.Base64UrlError as error:
            raise BadForm(f"base64url: {error}") from None
        key = self._key if data.startswith(self._head) else self._formers.get(data[: len(self._head)])
        if key is None:
            raise BadForm("another version or key")
        signed, mac = data[:-_MAC_BYTES], data[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, key.mac(signed)):
            raise BadForm("bad MAC")
        return signed[len(self._head) :]


class _Key:
    """The MAC key of one kind under one master secret, and the head that names it."""

    __slots__ = ("_keyed", "head")

    def __init__(self, master: MasterSecret, purpose: str) -> None:
        # Keyed once: to take the key in costs more than the hash of so few bytes.
        self._keyed = hmac.new(master.derive(purpose), digestmod="sha256")
        self.head = _VERSION + self.mac(b"key id")[:_KEY_ID_BYTES]

    def mac(self, data: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(data)
        return mac.digest()
