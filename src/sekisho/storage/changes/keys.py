"""Signing keys and the facts about this installation."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.rows import SIGNING_KEY, columns
from sekisho.storage.steps import Losing, Step, Steps, Telling

ADD = f"""
INSERT INTO signing_keys ({columns(SIGNING_KEY)})
VALUES (:kid, :alg, :state, :sealed_private, :public_jwk, :created_at, :activated_at, :verify_until_at)
ON CONFLICT DO NOTHING
RETURNING kid
"""

# A retired key's time is only ever shortened. The last condition makes a second active (or next) key a loss, not a
# broken unique index.
SET_STATE = """
UPDATE signing_keys
SET state = :state, verify_until_at = :verify_until_at,
    activated_at = CASE WHEN :activates = 1 THEN :now ELSE activated_at END
WHERE kid = :kid AND state = :expected AND (state <> :state OR verify_until_at > :verify_until_at) AND NOT EXISTS (
    SELECT 1 FROM signing_keys AS other
    WHERE other.state = :state AND other.state IN ('active', 'next') AND other.kid <> :kid
)
RETURNING kid
"""

SET_META = """
INSERT INTO meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = meta.value
RETURNING value
"""

ADD_META = "INSERT INTO meta (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING RETURNING name"
SWAP_META = "UPDATE meta SET value = :value WHERE name = :name AND value = :was RETURNING name"


def add_signing_key(change: changes.AddSigningKey) -> Steps:
    key = change.key
    rows = yield Step(
        ADD,
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": key.state.value,
            "sealed_private": key.sealed_private,
            "public_jwk": key.public_jwk,
            "created_at": key.created_at,
            "activated_at": key.activated_at,
            "verify_until_at": key.verify_until_at,
        },
    )
    return Telling(keys_changed=True) if rows else Losing("key_exists")


def set_key_state(change: changes.SetKeyState) -> Steps:
    rows = yield Step(
        SET_STATE,
        {
            "kid": change.kid,
            "expected": change.expected.value,
            "state": change.state.value,
            "activates": int(change.state.value == "active"),
            "now": change.now,
            "verify_until_at": change.verify_until_at,
        },
    )
    return Telling(keys_changed=True) if rows else Losing("key_state")


def set_meta(change: changes.SetMeta) -> Steps:
    rows = yield Step(SET_META, {"name": change.name, "value": change.value})
    return rows[0][0]


def swap_meta(change: changes.SwapMeta) -> Steps:
    values = {"name": change.name, "value": change.value}
    if change.was is None:
        rows = yield Step(ADD_META, values)
    else:
        rows = yield Step(SWAP_META, {**values, "was": change.was})
    return None if rows else Losing("fact_moved")
