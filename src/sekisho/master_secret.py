"""The master secret: the one secret of an installation, from which every other key is derived.

Purpose by purpose, so that a value made for one use says nothing in another. Losing it means that sealed
values cannot be opened any more. It is replaced by `admin.master_secret`, which seals the one from before under the
new one: what that made is then known still, and nothing new is made with it.

Spec: RFC 5869 (HKDF), RFC 2104 (HMAC), NIST SP 800-38D (AES-GCM).
"""

from __future__ import annotations

import hmac
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sekisho.model import Discreet, Millis
from sekisho.rfc import base64url
from sekisho.rfc.hkdf import hkdf_sha256

MIN_SECRET_BYTES = 32

STORED_CHECK, STORED_FORMERS = "master_secret_check", "former_secrets"
"""The names of the facts in the store: the fingerprint of the secret in force, and the sealed secrets from before."""

_SALT = b"sekisho master secret 1"
_SEALED_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class UnsealError(Exception):
    """A sealed value that this secret did not seal for this purpose and context. Never quotes it."""


class _KeptFormer(Discreet, frozen=True):
    secret: bytes
    replaced_at: Millis
    last_seal: int
    last_digest: bytes


class Former(Discreet, frozen=True):
    """A master secret from before. last_seal, last_digest: number and link of the last seal of the audit trail that was
    made with it; 0 and b"" for none."""

    secret: MasterSecret
    replaced_at: Millis
    last_seal: int
    last_digest: bytes


class MasterSecret:
    """Derives keys, tags and seals. Shows nothing of itself.

    Args:
        secret: at least 32 bytes of randomness; a password is not enough, nothing here is slow.

    Raises:
        ValueError: shorter than that.
    """

    __slots__ = ("_derived", "_formers", "_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the master secret needs at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret
        self._formers: tuple[Former, ...] = ()
        self._derived: dict[tuple[str, str, int], bytes] = {}

    def __repr__(self) -> str:
        return "<MasterSecret>"

    def __reduce__(self) -> str:
        raise TypeError("the master secret is not to be written out")

    @property
    def formers(self) -> tuple[Former, ...]:
        """The secrets that this one has replaced, oldest first."""
        return self._formers

    def recall(self, sealed: str | None) -> None:
        """Take over the secrets from before, as the store keeps them (None: there are none).

        Once, when the store has been opened and nothing that accepts their values has been made yet.

        Raises:
            UnsealError: damaged, or sealed under another secret.
        """
        if sealed is None:
            return
        try:
            plain = self.unseal_own(STORED_FORMERS, base64url.decode(sealed, len(sealed)), STORED_FORMERS)
            kept = msgspec.json.decode(plain, type=list[_KeptFormer])
        except (base64url.Base64UrlError, msgspec.DecodeError):
            raise UnsealError("not the secrets from before") from None
        self._formers = tuple(
            Former(MasterSecret(each.secret), each.replaced_at, each.last_seal, each.last_digest) for each in kept
        )

    def replaced_by(self, new: MasterSecret, now: Millis, last_seal: int, last_digest: bytes) -> str:
        """Return what the store keeps for `new`: this secret and those before it, sealed under the new one.

        Args:
            last_seal, last_digest: where the audit trail ends now, see `Former`.
        """
        kept = [
            _KeptFormer(each.secret._secret, each.replaced_at, each.last_seal, each.last_digest)
            for each in (*self._formers, Former(self, now, last_seal, last_digest))
        ]
        return base64url.encode(new.seal(STORED_FORMERS, msgspec.json.encode(kept), STORED_FORMERS))

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Return the key of a purpose: always the same, and independent of all others.

        Args:
            purpose: a constant of our own, never anything from outside (each is kept in memory).
        """
        return self._key("key", purpose, length)

    def tag(self, purpose: str, *parts: str | bytes) -> bytes:
        """Return a keyed hash (32 bytes) of the parts, in this order and cut exactly so.

        For what must be found again without being stored: each part goes in with its length, so
        `("ab", "c")` and `("a", "bc")` have different tags.
        """
        message = bytearray()
        for part in parts:
            data = part.encode() if isinstance(part, str) else part
            message += len(data).to_bytes(8, "big") + data
        return hmac.digest(self._key("tag", purpose, 32), message, "sha256")

    def lasting_tag(self, purpose: str, *parts: str | bytes) -> bytes:
        """Return a tag as `tag` does that stays the same when the secret is replaced: by the first of all.

        For what is found again after months, and needs the key only to say nothing by itself: long random values, and
        names whose plain form stands in the same database.
        """
        first = self._formers[0].secret if self._formers else self
        return first.tag(purpose, *parts)

    def seal(self, purpose: str, plain: bytes, context: str) -> bytes:
        """Return `plain` encrypted and authenticated.

        Args:
            context: names the place that the value belongs to (`signing_keys:<kid>`), so that a sealed
                value cannot be moved to another row. Not stored; the opener must know it.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _SEALED_VERSION + nonce + self._cipher(purpose).encrypt(nonce, plain, context.encode())

    def unseal(self, purpose: str, sealed: bytes, context: str) -> bytes:
        """Return what was sealed, under this secret or one from before.

        Raises:
            UnsealError: damaged, moved, of another purpose, or sealed under another secret.
        """
        for secret in (self, *(former.secret for former in reversed(self._formers))):
            opened = secret._opened(purpose, sealed, context)
            if opened is not None:
                return opened
        raise UnsealError("damaged, or sealed under another secret")

    def unseal_own(self, purpose: str, sealed: bytes, context: str) -> bytes:
        """Return what was sealed under this secret alone: for what is sealed anew when a secret is replaced, and must
        not be written into the store by whoever has learned one from before.

        Raises:
            UnsealError: as `unseal`.
        """
        opened = self._opened(purpose, sealed, context)
        if opened is None:
            raise UnsealError("damaged, or sealed under another secret")
        return opened

    def fingerprint(self) -> str:
        """Return a value that tells two secrets apart and reveals neither.

        Kept in the store: a server that is started with another secret can say so, instead of
        failing value by value or making new keys in silence.
        """
        return base64url.encode(self._key("fingerprint", "", 16))

    def _opened(self, purpose: str, sealed: bytes, context: str) -> bytes | None:
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[:1] != _SEALED_VERSION:
            return None
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher(purpose).decrypt(nonce, body, context.encode())
        except InvalidTag:
            return None

    def _cipher(self, purpose: str) -> AESGCM:
        return AESGCM(self._key("seal", purpose, 32))

    def _key(self, use: str, purpose: str, length: int) -> bytes:
        name = (use, purpose, length)
        if name not in self._derived:
            # The length is part of the info: HKDF's shorter outputs are prefixes of its longer ones.
            info = f"{use}\n{length}\n{purpose}".encode()
            self._derived[name] = hkdf_sha256(self._secret, salt=_SALT, info=info, length=length)
        return self._derived[name]
