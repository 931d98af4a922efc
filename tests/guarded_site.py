"""A server in process with one guard's key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from http_site import Site, open_site
from sekisho.model import GuardKey
from sekisho.ports.changes import AddGuardKey
from sekisho.tokens.session_values import hash_secret, new_session_id

SECRET = b"s" * 16
FORM = "application/x-www-form-urlencoded"


class Guarded:
    """A site with one guard's key."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.edge = site.edge
        self.store = site.edge.revocation.store
        self.key_id = new_session_id()
        self.key = site.edge.guards.keys._form.mint(self.key_id, SECRET)
        self.app = site.client()
        self.auth = {"authorization": f"Bearer {self.key}"}

    async def page(self, after: int = 0, **headers: str) -> Any:
        return await self.app.get(f"revocations?after={after}", **self.auth, **headers)

    async def form(self, path: str, **fields: str) -> Any:
        answer = await self.app.inner.post(
            f"/api/v1/auth/{path}", data=fields, headers={**self.auth, "content-type": FORM}
        )
        return answer

    async def settled(self, count: int) -> list[dict[str, Any]]:
        """The entries of the feed, once there are so many."""
        for _ in range(500):
            entries: list[dict[str, Any]] = (await self.page()).json()["entries"]
            if len(entries) >= count:
                return entries
            await asyncio.sleep(0.01)
        raise AssertionError("the feed never told")


@asynccontextmanager
async def guarded_site(folder: Path) -> AsyncIterator[Guarded]:
    async with open_site(folder) as site:
        made = Guarded(site)
        key = GuardKey(id=made.key_id, name="api", secret_hash=hash_secret(SECRET), created_at=1)
        await made.store.apply(AddGuardKey(key=key))
        yield made


def damaged(key: str) -> str:
    """Return a key with another last character."""
    return key[:-1] + ("B" if key[-1] == "A" else "A")
