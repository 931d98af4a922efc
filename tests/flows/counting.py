"""Real parts that also count what they do, for promises about the amount of work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from sekisho.master_secret import MasterSecret
from sekisho.model import Account
from sekisho.one_time_codes import OneTimeCodes
from sekisho.outbox import MailKind, Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.parameters import PROFILES
from sekisho.ports.changes import QueueMail
from sekisho.ports.storage import Store
from world import HASH_PROFILE


class CountingHashPool(HashPool):
    """Counts the calls that cost a hash; that each costs one, also without a usable hash, is the pool's own test."""

    def __init__(self) -> None:
        super().__init__(PROFILES[HASH_PROFILE])
        self.hashed = 0

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return await super().hash(password)

    async def verify(self, password: str, encoded: str | None) -> bool:
        self.hashed += 1
        return await super().verify(password, encoded)


class CountingCodes(OneTimeCodes):
    """Counts comparisons."""

    def __init__(self, master: MasterSecret) -> None:
        super().__init__(master)
        self.compared = 0

    def same(self, a: bytes, b: bytes) -> bool:
        self.compared += 1
        return super().same(a, b)


class CountingOutbox(Outbox):
    """Counts the letters that are sealed, whether they are queued or not."""

    def __init__(self, master: MasterSecret) -> None:
        super().__init__(master)
        self.sealed = 0

    def letter(self, kind: MailKind, **given: Any) -> QueueMail:
        self.sealed += 1
        return super().letter(kind, **given)


class Meanwhile:
    """A store in which something happens once, right after the account was read: what a slow hash leaves time for."""

    def __init__(self, store: Store, happens: Callable[[], Awaitable[object]]) -> None:
        self._store = store
        self._happens: Callable[[], Awaitable[object]] | None = happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def find_account(self, account_id: Any) -> Account | None:
        found = await self._store.find_account(account_id)
        await self._let_it_happen()
        return found

    async def find_account_by_email(self, email_key: str) -> Account | None:
        found = await self._store.find_account_by_email(email_key)
        await self._let_it_happen()
        return found

    async def _let_it_happen(self) -> None:
        happens, self._happens = self._happens, None
        if happens is not None:
            await happens()


class CountingReads:
    """A store that notes the name of each call."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._store, name)
