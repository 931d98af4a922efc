"""Notices: letters to the owner about a change of credentials or something suspicious, with when, on what, where and
from which address, and a code by which the owner says that it was somebody else.

Each goes into the commit of its event, so that no change happens untold.

Spec: NIST SP 800-63B-4 section 4.6 (notification); ASVS 6.3.5, 6.3.7.
"""

from __future__ import annotations

from msgspec.structs import replace

from sekisho.devices import DeviceReader
from sekisho.model import Account, Millis, Origin
from sekisho.not_me_codes import NotMeCodes
from sekisho.outbox import REQUIRED_VALUES, MailKind, Outbox
from sekisho.places import Places
from sekisho.ports.changes import Change, OneTimeCode, PutCode
from sekisho.times import iso_time

# What these tell of raises `security_version`, in the same commit.
_RAISING = frozenset(
    {
        MailKind.PASSWORD_CHANGED,
        MailKind.FACTOR_ADDED,
        MailKind.FACTOR_REMOVED,
        MailKind.RECOVERY_EMAIL_SET,
        MailKind.RECOVERY_EMAIL_REMOVED,
    }
)


class Notices:
    def __init__(self, outbox: Outbox, devices: DeviceReader, places: Places, not_me: NotMeCodes) -> None:
        self._outbox = outbox
        self._devices = devices
        self._places = places
        self._not_me = not_me

    def notice(
        self,
        kind: MailKind,
        account: Account,
        origin: Origin,
        now: Millis,
        *,
        to: str | None = None,
        device: str | None = None,
        **values: str,
    ) -> tuple[Change, ...]:
        """Return the changes that queue one notice, and store its code.

        Args:
            account: as it was read; what the notice tells of is still to be committed with it.
            to: None for the account's address.
            device: None for what the request says of itself.

        Raises:
            ValueError: not exactly the values that this kind needs, beside the sighting. A programming mistake.
        """
        stored: tuple[Change, ...] = ()
        if "not_me_code" in REQUIRED_VALUES[kind]:
            values["not_me_code"], code = self._new_code(kind, account, now)
            stored = (PutCode(code=code),)
        letter = self._outbox.letter(
            kind,
            to=account.email if to is None else to,
            locale=account.locale,
            now=now,
            at=iso_time(now),
            device=self._devices.read_origin(origin).name if device is None else device,
            place=self._places.find(origin.ip, account.locale),
            ip=origin.ip,
            expires_at=None,
            **values,
        )
        return (*stored, letter)

    def _new_code(self, kind: MailKind, account: Account, now: Millis) -> tuple[str, OneTimeCode]:
        if kind is MailKind.EMAIL_CHANGED_FORMER:
            return self._not_me.new_for_former(account, now)
        after = replace(account, security_version=account.security_version + (kind in _RAISING))
        return self._not_me.new(after, now)
