"""Writes about trusted devices. See `ports.changes`."""

from __future__ import annotations

from sekisho.model import AccountId, Millis, TrustedDevice
from sekisho.ports.changes import Change


class TrustDevice(Change, frozen=True, kw_only=True):
    """Insert a trusted device in the place of the one that has the hash `replaces`, if the account has it; of those
    that were there, the newest `max_devices` - 1 stay. Loses (`security_version`) unless the account is active and at
    the device's version."""

    device: TrustedDevice
    max_devices: int
    replaces: bytes = b""


class UseTrustedDevice(Change, frozen=True, kw_only=True):
    """Note that a device spared its owner the second step. Loses (`device_gone`) unless the device is the account's,
    was trusted at this `security_version`, and its time is not over: trust that was taken back meanwhile starts
    nothing."""

    device_id: str
    account_id: AccountId
    security_version: int
    now: Millis


class ForgetTrustedDevice(Change, frozen=True, kw_only=True):
    """Trust a device no more. Loses (`device_gone`) unless the account has it."""

    device_id: str
    account_id: AccountId


class ForgetTrustedDevices(Change, frozen=True, kw_only=True):
    """Trust none of an account's devices any more. Returns how many there were, those with their time over too."""

    account_id: AccountId
