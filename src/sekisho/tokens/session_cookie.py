"""Session cookies: the opaque credential of the `session` transport, looked up at the server.

    sks_ + base64url( version 1 | key id 4 | session id 16 | session secret 16 | MAC 32 )

The form of refresh tokens without the counter, under a key of its own: neither passes as the other.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import Unauthorized
from sekisho.master_secret import MasterSecret
from sekisho.model import SessionId
from sekisho.tokens.opaque_form import BadForm, OpaqueForm
from sekisho.tokens.session_values import ID_BYTES, SECRET_BYTES, hash_secret, pack_session, unpack_session

PREFIX = "sks_"


class PresentedCookie(Struct, frozen=True):
    """What an authentic session cookie says. Whether the session is live, only the store knows."""

    session_id: SessionId
    secret: bytes

    @property
    def secret_hash(self) -> bytes:
        """SHA-256 of the secret; compare it with the row's in constant time."""
        return hash_secret(self.secret)

    def __repr__(self) -> str:
        return f"PresentedCookie(session_id={self.session_id!r})"


class SessionCookies:
    """Makes and opens the values of session cookies. Pure: no store, no clock."""

    __slots__ = ("_form",)

    def __init__(self, master: MasterSecret) -> None:
        self._form = OpaqueForm(master, prefix=PREFIX, purpose="session cookie", body_bytes=ID_BYTES + SECRET_BYTES)

    def mint(self, session_id: SessionId, secret: bytes) -> str:
        """Return the cookie's value: the same inputs always give the same.

        Raises:
            ValueError: a session id or secret of the wrong length.
        """
        return self._form.pack(pack_session(session_id, secret))

    def open(self, value: str) -> PresentedCookie:
        """Return what the cookie says, if we made it.

        Args:
            value: untrusted. A forged or damaged one costs no store operation.

        Raises:
            Unauthorized: not ours; `detail` says which rule refused.
        """
        try:
            return PresentedCookie(*unpack_session(self._form.unpack(value)))
        except BadForm as error:
            raise Unauthorized(detail=str(error)) from None
