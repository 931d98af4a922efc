"""Keys of guards: what a protected API shows to read the feed of revocations, to ask about tokens and to revoke them.

    skg_ + base64url( version 1 | key id 4 | id 16 | secret 16 | MAC 32 )

The form of session cookies, under a key of its own. The row keeps the secret's hash only.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.errors import Unauthorized
from sekisho.master_secret import MasterSecret
from sekisho.model import SessionId
from sekisho.tokens.opaque_form import BadForm, OpaqueForm
from sekisho.tokens.session_values import ID_BYTES, SECRET_BYTES, hash_secret, pack_session, unpack_session

PREFIX = "skg_"


class PresentedGuardKey(Struct, frozen=True):
    """What an authentic key says. Whether it was removed, only the store knows."""

    id: str
    secret_hash: bytes


class GuardKeyForm:
    """Makes and opens the texts of guards' keys. Pure: no store, no clock."""

    __slots__ = ("_form",)

    def __init__(self, master: MasterSecret) -> None:
        self._form = OpaqueForm(master, prefix=PREFIX, purpose="guard key", body_bytes=ID_BYTES + SECRET_BYTES)

    def mint(self, key_id: str, secret: bytes) -> str:
        """Return the text of a key; it is shown once and kept nowhere."""
        return self._form.pack(pack_session(SessionId(key_id), secret))

    def open(self, text: str) -> PresentedGuardKey:
        """Return what the text says, if we made it.

        Args:
            text: untrusted. A forged or damaged one costs no store operation.

        Raises:
            Unauthorized: not ours.
        """
        try:
            key_id, secret = unpack_session(self._form.unpack(text))
        except BadForm as error:
            raise Unauthorized(detail=f"guard key: {error}") from None
        return PresentedGuardKey(key_id, hash_secret(secret))
