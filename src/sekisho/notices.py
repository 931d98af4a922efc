"""Notices: letters to the owner about a change of credentials, with when, on what, where and from which address.

Each goes into the commit of its event, so that no change happens untold.

Spec: NIST SP 800-63B-4 section 4.6 (notification); ASVS 6.3.7.
"""

from __future__ import annotations

from sekisho.devices import DeviceReader
from sekisho.model import Account, Millis, Origin
from sekisho.outbox import MailKind, Outbox
from sekisho.places import Places
from sekisho.ports.changes import QueueMail
from sekisho.times import iso_time


class Notices:
    def __init__(self, outbox: Outbox, devices: DeviceReader, places: Places) -> None:
        self._outbox = outbox
        self._devices = devices
        self._places = places

    def notice(
        self, kind: MailKind, account: Account, origin: Origin, now: Millis, *, to: str | None = None, **values: str
    ) -> QueueMail:
        """Return the change that queues one notice to the account's address, or to `to`.

        Raises:
            ValueError: not exactly the values that this kind needs, beside the sighting. A programming mistake.
        """
        return self._outbox.letter(
            kind,
            to=account.email if to is None else to,
            locale=account.locale,
            now=now,
            at=iso_time(now),
            device=self._devices.read(origin.user_agent).name,
            place=self._places.find(origin.ip, account.locale),
            ip=origin.ip,
            expires_at=None,
            **values,
        )
