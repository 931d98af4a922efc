"""Keys of guards."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.rows import GUARD_KEY, columns
from sekisho.storage.steps import Losing, Step, Steps

ADD = f"""
INSERT INTO guard_keys ({columns(GUARD_KEY)}) VALUES (:id, :name, :secret_hash, :created_at)
ON CONFLICT DO NOTHING
RETURNING id
"""

REMOVE = "DELETE FROM guard_keys WHERE id = :id RETURNING id"


def add_guard_key(change: changes.AddGuardKey) -> Steps:
    key = change.key
    rows = yield Step(
        ADD, {"id": key.id, "name": key.name, "secret_hash": key.secret_hash, "created_at": key.created_at}
    )
    return None if rows else Losing("name_taken")


def remove_guard_key(change: changes.RemoveGuardKey) -> Steps:
    rows = yield Step(REMOVE, {"id": change.id})
    return None if rows else Losing("guard_key_gone")
