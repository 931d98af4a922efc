"""The two random values that every session is made of."""

from __future__ import annotations

import hashlib
import secrets

from sekisho.model import SessionId
from sekisho.rfc import base64url

ID_BYTES = 16
SECRET_BYTES = 16


def new_session_id() -> SessionId:
    """Return 128 random bits. Not a secret: it stands in `sid` and in session lists."""
    return SessionId(base64url.encode(secrets.token_bytes(ID_BYTES)))


def new_session_secret() -> bytes:
    """Return 128 random bits that only the client keeps; the row has their `hash_secret`."""
    return secrets.token_bytes(SECRET_BYTES)


def hash_secret(secret: bytes) -> bytes:
    """Return the SHA-256 of a session secret. No salt and no slowness: it is random, nothing can be guessed."""
    return hashlib.sha256(secret).digest()


def pack_session(session_id: SessionId, secret: bytes) -> bytes:
    """Return both as bytes, id first.

    Raises:
        ValueError: one of them does not have its length.
    """
    raw = base64url.decode(session_id, ID_BYTES)
    if len(raw) != ID_BYTES or len(secret) != SECRET_BYTES:
        raise ValueError("a session id or secret of the wrong length")
    return raw + secret


def unpack_session(data: bytes) -> tuple[SessionId, bytes]:
    """Return id and secret from the beginning of what `pack_session` made; what follows is ignored."""
    return SessionId(base64url.encode(data[:ID_BYTES])), data[ID_BYTES : ID_BYTES + SECRET_BYTES]
