"""Keys of guards, as an operator sees them: add (the text is shown once), list, remove."""

from __future__ import annotations

import re

from msgspec import Struct

from sekisho.admin.accounts import OPERATOR
from sekisho.admin.world import OperatorWorld
from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import NotFound, ValidationError
from sekisho.model import GuardKey, Millis, Origin
from sekisho.ports.changes import AddGuardKey, AppendAudit, RemoveGuardKey
from sekisho.tokens.guard_key import GuardKeyForm
from sekisho.tokens.session_values import hash_secret, new_session_id, new_session_secret

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class NameTaken(Exception):
    """Another guard's key has this name."""


class NewGuardKey(Struct, frozen=True):
    """text: the secret that the guard is given. Nobody can read it again."""

    key: GuardKey
    text: str

    def __repr__(self) -> str:
        return f"NewGuardKey(key={self.key.id!r})"


async def add_guard_key(name: str, world: OperatorWorld) -> NewGuardKey:
    """Make a key for a protected API.

    Raises:
        ValidationError: `name: invalid_characters` (1 to 64 letters, digits, `.`, `_`, `-`).
        NameTaken: see there.
    """
    if _NAME.fullmatch(name) is None:
        raise ValidationError(details={"name": "invalid_characters"}, detail="guard key's name")
    now, key_id, secret = world.clock.now(), str(new_session_id()), new_session_secret()
    key = GuardKey(id=key_id, name=name, secret_hash=hash_secret(secret), created_at=now)
    outcome = await world.store.apply(AddGuardKey(key=key), _audit(Event.GUARD_KEY_ADDED, key_id, now))
    if outcome.lost:
        raise NameTaken
    return NewGuardKey(key, GuardKeyForm(world.master).mint(key_id, secret))


async def list_guard_keys(world: OperatorWorld) -> list[GuardKey]:
    """Return all keys, by name."""
    return await world.store.list_guard_keys()


async def remove_guard_key(who: str, world: OperatorWorld) -> GuardKey:
    """Stop accepting a key, by its name or id. A stream that it opened ends with its next heartbeat.

    Raises:
        NotFound: no key of this name or id.
    """
    key = next((key for key in await world.store.list_guard_keys() if who in (key.id, key.name)), None)
    if key is None:
        raise NotFound(detail="no such guard key")
    audit = _audit(Event.GUARD_KEY_REMOVED, key.id, world.clock.now())
    outcome = await world.store.apply(RemoveGuardKey(id=key.id), audit)
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
    return key


def _audit(event: Event, key_id: str, now: Millis) -> AppendAudit:
    return AppendAudit(record=record(event, SUCCESS, at=now, origin=Origin(), subject=key_id, actor=OPERATOR))
