"""A session, its account, a store's journal and a clock that stands still."""

from __future__ import annotations

from sekisho.model import Account, AccountId, JournalEntry, JournalPage, Session, Transport
from sekisho.ports.storage import StoreUnavailable
from sekisho.tokens.session_values import hash_secret, new_session_id

NOW = 1_790_000_000_123
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
ISSUER = "https://auth.example.com"
AUDIENCE = "https://api.example.com"

ACCOUNT = Account(
    id=AccountId("AAAAAAAAAAAAAAAAAAAAAA"),
    email="a@example.com",
    email_key="a@example.com",
    roles=("editor",),
    created_at=NOW,
)


def a_session(client_id: str = "web:6f1c", expires_at: int = NOW + 90 * DAY) -> Session:
    return Session(
        id=new_session_id(),
        account_id=ACCOUNT.id,
        client_id=client_id,
        transport=Transport.BODY,
        secret_hash=hash_secret(b"s" * 16),
        auth_time_at=NOW - MINUTE,
        amr=("pwd",),
        created_at=NOW - MINUTE,
        last_seen_at=NOW,
        rotated_at=NOW,
        idle_expires_at=NOW + 30 * DAY,
        expires_at=expires_at,
    )


def revoked(kind: str, value: str, seq: int = 1, expires_at: int = NOW + 15 * MINUTE) -> JournalEntry:
    return JournalEntry(seq=seq, kind=kind, value=value, expires_at=expires_at, reason="logout")


class Journal:
    """A journal that other processes write to: the part of a store that revocations read."""

    def __init__(self, *entries: JournalEntry, generation: str = "g1") -> None:
        self.entries = list(entries)
        self.generation = generation
        self.is_down = False
        self.asked_after: list[int] = []
        self._seen = 0

    async def read_journal(self, after_seq: int, limit: int = 1000) -> JournalPage:
        if self.is_down:
            raise StoreUnavailable("down")
        self.asked_after.append(after_seq)
        later = sorted((entry for entry in self.entries if entry.seq > after_seq), key=lambda entry: entry.seq)[:limit]
        return JournalPage(self.generation, tuple(later), later[-1].seq if later else after_seq)

    def has_foreign_commits(self) -> bool:
        seen, self._seen = self._seen, len(self.entries)
        return seen != self._seen
