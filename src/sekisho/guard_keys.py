"""Who reads the feed, asks about tokens or revokes them: a protected API, by its guard's key."""

from __future__ import annotations

import hmac

from sekisho.errors import Unauthorized
from sekisho.model import GuardKey
from sekisho.ports.storage import OperationReads
from sekisho.tokens.guard_key import GuardKeyForm


class GuardKeys:
    """Knows guards by their keys."""

    __slots__ = ("_form", "_store")

    def __init__(self, form: GuardKeyForm, store: OperationReads) -> None:
        self._form = form
        self._store = store

    async def verify(self, text: str) -> GuardKey:
        """Return the key that the text is.

        Args:
            text: untrusted. A forged one costs no store operation.

        Raises:
            Unauthorized: not ours, or removed.
        """
        presented = self._form.open(text)
        key = await self._store.find_guard_key(presented.id)
        if key is None or not hmac.compare_digest(key.secret_hash, presented.secret_hash):
            raise Unauthorized(detail="no such guard key")
        return key

    async def is_there(self, key: GuardKey) -> bool:
        """Whether the key was not removed since."""
        return await self._store.find_guard_key(key.id) is not None
