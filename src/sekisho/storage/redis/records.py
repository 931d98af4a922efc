"""What Redis keeps of a session: all that a verdict and a token need, and nothing that would help a thief.

The row and its account as they were loaded stand in one blob, without the password's hash; what a rotation moves stands
beside it in fields of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sekisho.model import Account, Millis, Session, SessionId
from sekisho.ports.changes import SaveSessionUse
from sekisho.storage.changes.rotation import app_of

# A record outlives the session by this much, so that the clocks of nodes and of Redis may differ.
SPARE_MS = 60 * 60_000


class _Blob(Struct, frozen=True, array_like=True):
    session: Session
    account: Account


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Blob).decode


class Seen(Struct, frozen=True):
    """A record as a script found it. `is_fresh`: nothing has moved since it was loaded from SQL."""

    session: Session
    account: Account
    is_fresh: bool


def fields_of(session: Session, account: Account) -> list[str | bytes]:
    """Return names and values of the record, one after the other."""
    return [
        "blob",
        _encode(_Blob(session, replace(account, password_hash=None))),
        "counter",
        str(session.counter),
        "rotated_at",
        str(session.rotated_at),
        "last_seen_at",
        str(session.last_seen_at),
        "idle_expires_at",
        str(session.idle_expires_at),
        "ip",
        session.ip,
        "fresh",
        "1",
        "secret_hash",
        session.secret_hash,
        "client_id",
        session.client_id,
        "app",
        app_of(session.client_id),
        "transport",
        session.transport.value,
        "expires_at",
        str(session.expires_at),
        "acr",
        session.acr,
    ]


def life_ms(session: Session, now: Millis) -> int:
    """How long the record of this row may stay."""
    return max(session.idle_expires_at - now, 0) + SPARE_MS


def seen_from(fields: Sequence[Any]) -> Seen:
    """Read the seven fields that `ROTATE` and `TOUCH` return."""
    blob = _decode(fields[6])
    return Seen(moved(blob.session, fields), blob.account, fields[5] == b"1")


def moved(session: Session, fields: Sequence[Any]) -> Session:
    """Return the row with the five fields that move."""
    return replace(
        session,
        counter=int(fields[0]),
        rotated_at=int(fields[1]),
        last_seen_at=int(fields[2]),
        idle_expires_at=int(fields[3]),
        ip=fields[4].decode(),
    )


def use_of(session: Session) -> SaveSessionUse:
    """Return the change that saves to SQL what has moved."""
    return SaveSessionUse(
        session_id=session.id,
        counter=session.counter,
        rotated_at=session.rotated_at,
        last_seen_at=session.last_seen_at,
        idle_expires_at=session.idle_expires_at,
        ip=session.ip,
    )


def use_from(session_id: str, fields: Sequence[Any]) -> SaveSessionUse:
    """Return the same change from the five fields that move."""
    return SaveSessionUse(
        session_id=SessionId(session_id),
        counter=int(fields[0]),
        rotated_at=int(fields[1]),
        last_seen_at=int(fields[2]),
        idle_expires_at=int(fields[3]),
        ip=fields[4].decode(),
    )


def is_newer(use: SaveSessionUse, than: SaveSessionUse | Session) -> bool:
    """Whether a use came after another: by the counter, and for touches by the time."""
    return (use.counter, use.last_seen_at) > (than.counter, than.last_seen_at)
