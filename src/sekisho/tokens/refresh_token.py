"""Refresh tokens: what a client trades for a new pair. Nothing of them is stored but a hash.

    skr_ + base64url( version 1 | key id 4 | session id 16 | session secret 16 | counter 8 | MAC 32 )

The successor is the same value with the counter one higher. So whoever holds a token and the server's
key can derive it again: a client that repeats a refresh gets the same successor, and no token table exists. Neither the
database (which has only the secret's hash) nor the master secret alone is enough to forge one.

Spec: RFC 6749 section 1.5; RFC 9700 section 4.14.2 (rotation).
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import RefreshTokenInvalid
from sekisho.master_secret import MasterSecret
from sekisho.model import SessionId
from sekisho.tokens.opaque_form import BadForm, OpaqueForm
from sekisho.tokens.session_values import ID_BYTES, SECRET_BYTES, hash_secret, pack_session, unpack_session

PREFIX = "skr_"
# The store's integers are signed, 64 bits wide.
MAX_COUNTER = 2**63 - 1

_PACKED_BYTES = ID_BYTES + SECRET_BYTES
_COUNTER_BYTES = 8


class Presented(Struct, frozen=True):
    """What an authentic refresh token says. Whether it is live, only the store knows. packed: id and secret as they
    stand in the token."""

    session_id: SessionId
    secret: bytes
    counter: int
    packed: bytes

    @property
    def secret_hash(self) -> bytes:
        """SHA-256 of the secret, as the session's row keeps it."""
        return hash_secret(self.secret)

    def __repr__(self) -> str:
        return f"Presented(session_id={self.session_id!r}, counter={self.counter})"


class RefreshTokens:
    """Makes and opens refresh tokens. Pure: no store, no clock."""

    __slots__ = ("_form",)

    def __init__(self, master: MasterSecret) -> None:
        self._form = OpaqueForm(
            master, prefix=PREFIX, purpose="refresh token", body_bytes=_PACKED_BYTES + _COUNTER_BYTES
        )

    def mint(self, session_id: SessionId, secret: bytes, counter: int) -> str:
        """Return the token of this counter: the same inputs always give the same token.

        Raises:
            ValueError: a session id or secret of the wrong length, or a counter outside 0 to 2^63 - 1.
        """
        return self._mint(pack_session(session_id, secret), counter)

    def open(self, token: str) -> Presented:
        """Return what the token says, if we made it.

        Args:
            token: untrusted. A forged or damaged one costs no store operation.

        Raises:
            RefreshTokenInvalid: not ours; `detail` says which rule refused.
        """
        try:
            body = self._form.unpack(token)
        except BadForm as error:
            raise RefreshTokenInvalid(detail=str(error)) from None
        packed, counter = body[:_PACKED_BYTES], body[_PACKED_BYTES:]
        return Presented(*unpack_session(packed), int.from_bytes(counter, "big"), packed)

    def successor(self, presented: Presented) -> str:
        """Return the one token that follows.

        Raises:
            ValueError: nothing follows the counter 2^63 - 1.
        """
        return self._mint(presented.packed, presented.counter + 1)

    def _mint(self, packed: bytes, counter: int) -> str:
        if not 0 <= counter <= MAX_COUNTER:
            raise ValueError("counter out of range")
        return self._form.pack(packed + counter.to_bytes(_COUNTER_BYTES, "big"))
