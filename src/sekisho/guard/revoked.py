"""What was revoked, in the guard's memory. Entries are only ever added until no living token can concern them: whatever
a feed says later, or stops saying, never brings a session back to life."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

# A clock that was ahead has not forgotten what is alive once it is corrected.
CLOCK_STEP_MARGIN_S = 24 * 60 * 60.0
MOST_ENTRIES = 1_000_000


class TooMany(Exception):
    """More entries than anybody's memory should hold: the feed cannot be meant."""


class Revocation(Struct, frozen=True):
    """One revocation as the feed says it. Kinds that come after this version are passed over."""

    seq: int
    kind: str
    value: str
    expires_at: datetime
    reason: str = ""


class Revoked:
    """Written by the feed's thread alone; read by anybody."""

    __slots__ = ("_by_kind", "_clients", "_jtis", "_kids", "_most", "_sids")

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._sids: dict[str, float] = {}
        self._jtis: dict[str, float] = {}
        self._clients: dict[str, float] = {}
        self._kids: dict[str, float] = {}
        self._by_kind = {"sid": self._sids, "jti": self._jtis, "client": self._clients, "key": self._kids}
        self._most = most

    def __len__(self) -> int:
        return len(self._sids) + len(self._jtis) + len(self._clients) + len(self._kids)

    def add(self, entries: tuple[Revocation, ...]) -> None:
        """Take entries in, in any order and any number of times.

        Raises:
            TooMany: these were not taken in.
        """
        if len(self) + len(entries) > self._most:
            raise TooMany(f"more than {self._most} entries")
        for entry in entries:
            values = self._by_kind.get(entry.kind)
            if values is not None:
                values[entry.value] = max(entry.expires_at.timestamp(), values.get(entry.value, 0.0))

    def names(self, session_id: str, jti: str, client_id: str, app: str) -> bool:
        """Whether the session, the token or the client (its whole id, or its app) was revoked."""
        clients = self._clients
        return (
            session_id in self._sids
            or jti in self._jtis
            or (bool(clients) and (client_id in clients or app in clients))
        )

    def names_key(self, kid: str) -> bool:
        """Whether the signing key counts no more, before its time: retired by hand, or compromised."""
        return kid in self._kids

    def forget(self, now: float) -> None:
        """Drop what is over, also if the clock is ahead by a day."""
        for values in self._by_kind.values():
            for value in [value for value, over in values.items() if over <= now - CLOCK_STEP_MARGIN_S]:
                del values[value]
