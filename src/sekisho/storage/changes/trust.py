"""Trusted devices."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import trust_changes as changes
from sekisho.storage.changes.locks import LOCK_ACCOUNT
from sekisho.storage.rows import TRUSTED_DEVICE, columns
from sekisho.storage.steps import Losing, Step, Steps

REPLACE = "DELETE FROM trusted_devices WHERE account_id = :account_id AND value_hash = :value_hash"

MAKE_ROOM = """
DELETE FROM trusted_devices
WHERE account_id = :account_id AND id NOT IN (
    SELECT id FROM trusted_devices WHERE account_id = :account_id ORDER BY created_at DESC, id DESC LIMIT :staying
)
"""

INSERT = f"""
INSERT INTO trusted_devices ({columns(TRUSTED_DEVICE)})
VALUES (:id, :account_id, :app, :value_hash, :security_version, :device_name, :created_at, :last_used_at, :expires_at)
"""

USE = """
UPDATE trusted_devices SET last_used_at = :now
WHERE id = :id AND account_id = :account_id AND security_version = :security_version AND expires_at > :now
RETURNING id
"""

FORGET = "DELETE FROM trusted_devices WHERE id = :id AND account_id = :account_id RETURNING id"
FORGET_ALL = "DELETE FROM trusted_devices WHERE account_id = :account_id RETURNING id"


def trust_device(change: changes.TrustDevice) -> Steps:
    device = change.device
    owner = {"account_id": device.account_id}
    if not (yield Step(LOCK_ACCOUNT, {"id": device.account_id, "security_version": device.security_version})):
        return Losing("security_version")
    if change.replaces:
        yield Step(REPLACE, {**owner, "value_hash": change.replaces})
    yield Step(MAKE_ROOM, {**owner, "staying": change.max_devices - 1})
    yield Step(
        INSERT,
        {
            **owner,
            "id": device.id,
            "app": device.app,
            "value_hash": device.value_hash,
            "security_version": device.security_version,
            "device_name": device.device_name,
            "created_at": device.created_at,
            "last_used_at": device.last_used_at,
            "expires_at": device.expires_at,
        },
    )
    return None


def use_trusted_device(change: changes.UseTrustedDevice) -> Steps:
    used = yield Step(
        USE,
        {
            "id": change.device_id,
            "account_id": change.account_id,
            "security_version": change.security_version,
            "now": change.now,
        },
    )
    return None if used else Losing("device_gone")


def forget_trusted_device(change: changes.ForgetTrustedDevice) -> Steps:
    gone = yield Step(FORGET, {"id": change.device_id, "account_id": change.account_id})
    return None if gone else Losing("device_gone")


def forget_trusted_devices(change: changes.ForgetTrustedDevices) -> Steps:
    return len((yield Step(FORGET_ALL, {"account_id": change.account_id})))
