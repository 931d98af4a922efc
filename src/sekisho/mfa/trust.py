"""Trusted devices: where an account was asked for its second step and is not asked again, for days.

The device holds an opaque random value; the store knows its keyed hash. The value counts beside the right password
only, for its account and app, and until the account's credentials change. It is a wish of the owner, no proof: a
sign-in that it spares the second step is worth what the password is worth, and what is sensitive asks for the factor
all the same.

Spec: NIST SP 800-63B-4 section 2.2 (a remembered browser is no authenticator); OWASP ASVS 5.0 row 6.3.3.
"""

from __future__ import annotations

import secrets

from msgspec import Struct

from sekisho.devices import DeviceReader
from sekisho.identifiers import ClientId
from sekisho.ids import could_be_ours, new_handle
from sekisho.master_secret import MasterSecret
from sekisho.model import Account, Discreet, Millis, Origin, TrustedDevice
from sekisho.ports.storage import TrustReads
from sekisho.ports.trust_changes import TrustDevice

MAX_DEVICES = 10

_DAY_MS = 86_400_000
_VALUE_BYTES = 32


class NewTrust(Discreet, frozen=True):
    """`value` goes to the device, `trusting` into the store."""

    value: str
    trusting: TrustDevice


class Trust(Struct, frozen=True):
    """Makes values and finds their devices. days: how long a device is trusted; 0: none is."""

    master: MasterSecret
    devices: DeviceReader
    days: int

    def new(self, account: Account, client: ClientId, origin: Origin, now: Millis, *, replaces: str = "") -> NewTrust:
        """Return a new value for this device, in the place of the one that it showed, if it did."""
        value = secrets.token_urlsafe(_VALUE_BYTES)
        device = TrustedDevice(
            id=new_handle(),
            account_id=account.id,
            app=client.app,
            value_hash=self.hash_of(value),
            security_version=account.security_version,
            device_name=self.devices.read_origin(origin).name,
            created_at=now,
            last_used_at=now,
            expires_at=now + self.days * _DAY_MS,
        )
        older = self.hash_of(replaces) if replaces else b""
        return NewTrust(value, TrustDevice(device=device, max_devices=MAX_DEVICES, replaces=older))

    async def find(
        self, value: str, account: Account, client: ClientId, now: Millis, reads: TrustReads
    ) -> TrustedDevice | None:
        """Return the device that this value is of, if this account trusts it with this app.

        Args:
            value: untrusted; "" for none.
        """
        if not self.days or not could_be_ours(value):
            return None
        device = await reads.find_trusted_device(self.hash_of(value))
        if device is None or (device.account_id, device.app) != (account.id, client.app):
            return None
        over_at = self.over_at(device)
        is_good = device.security_version == account.security_version and device.created_at <= now < over_at
        return device if is_good else None

    def over_at(self, device: TrustedDevice) -> Millis:
        """Return when the trust in a device ends. A number of days that the operator has made smaller holds for those
        trusted before, too."""
        return min(device.expires_at, device.created_at + self.days * _DAY_MS)

    def hash_of(self, value: str) -> bytes:
        """Return what is stored of a value."""
        return self.master.lasting_tag("trusted_device", value)
