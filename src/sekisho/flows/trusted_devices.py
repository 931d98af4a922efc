"""Trusted devices: where the caller's account is not asked for its second step, and an end to that.

    list_devices    those that are trusted now, last used first
    forget_device   one of them; what is unknown and what belongs to others look the same

A device comes to be trusted in `second_factor`. Every change of credentials ends the trust in all of them.

Spec: OWASP ASVS 5.0 rows 6.3.3 and 7.5.2 (by analogy).
"""

from __future__ import annotations

import hmac

from msgspec import Struct
from msgspec.structs import replace

from sekisho.audit import SUCCESS, Event, record
from sekisho.errors import NotFound
from sekisho.ids import could_be_ours
from sekisho.mfa.trust import Trust
from sekisho.model import Origin, Principal, TrustedDevice
from sekisho.ports.changes import AppendAudit
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.ports.trust_changes import ForgetTrustedDevice


class TrustedDevicesWorld(Struct, frozen=True, kw_only=True):
    store: Store
    clock: Clock
    trust: Trust


class Listed(Struct, frozen=True):
    """is_current: the caller has just shown the value of this one."""

    device: TrustedDevice
    is_current: bool


async def list_devices(principal: Principal, shown: str, world: TrustedDevicesWorld) -> list[Listed]:
    """Return the trusted devices of the caller's account, last used first.

    Args:
        shown: the value of a trusted device that came along, untrusted, or "".
    """
    mine, now = world.trust.hash_of(shown), world.clock.now()
    found = await world.store.list_trusted_devices(principal.account_id, now)
    held = [replace(device, expires_at=world.trust.over_at(device)) for device in found]
    return [Listed(device, hmac.compare_digest(device.value_hash, mine)) for device in held if device.expires_at > now]


async def forget_device(device_id: str, principal: Principal, seen_from: Origin, world: TrustedDevicesWorld) -> None:
    """Ask for the second step again on this device, from its next sign-in on. A session there goes on.

    Raises:
        NotFound: unknown, forgotten already, or another account's; the caller cannot tell which.
    """
    if not could_be_ours(device_id):
        raise NotFound(detail="device_gone")
    line = record(
        Event.DEVICE_FORGOTTEN,
        SUCCESS,
        at=world.clock.now(),
        origin=seen_from,
        account_id=principal.account_id,
        session_id=principal.session_id,
        client_id=principal.client_id,
        subject=device_id,
    )
    outcome = await world.store.apply(
        ForgetTrustedDevice(device_id=device_id, account_id=principal.account_id), AppendAudit(record=line)
    )
    if outcome.lost:
        raise NotFound(detail=outcome.lost.why)
