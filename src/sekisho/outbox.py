"""The outbox: letters that are queued in the same commit as the event they tell of.

A letter may hold a code, so it is stored sealed and bound to its row: a reader of the database
learns nothing, and a sealed letter moved into another row does not open.
"""

from __future__ import annotations

import secrets
from enum import StrEnum

import msgspec

from sekisho.master_secret import MasterSecret
from sekisho.model import Channel, Mail, Millis, QueuedMail
from sekisho.ports.changes import QueueMail

_PURPOSE = "outbox"


class MailKind(StrEnum):
    """Every letter there is. A closed vocabulary: each has a template in every language."""

    SIGN_UP_CODE = "sign_up_code"
    SIGN_UP_EXISTING = "sign_up_existing"
    SESSION_REPLAYED = "session_replayed"
    CLIENT_ID_MISMATCH = "client_id_mismatch"
    ACCOUNT_WITHDRAWN = "account_withdrawn"
    PASSWORD_RESET_CODE = "password_reset_code"  # noqa: S105 - the name of a letter, no secret
    PASSWORD_RESET_NO_ACCOUNT = "password_reset_no_account"  # noqa: S105 - the name of a letter, no secret
    PASSWORD_RESET_CODE_RECOVERY = "password_reset_code_recovery"  # noqa: S105 - the name of a letter, no secret
    PASSWORD_CHANGED_RECOVERY = "password_changed_recovery"  # noqa: S105 - the name of a letter, no secret
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a letter, no secret
    FACTOR_CODE = "factor_code"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    FACTOR_GUESSED = "factor_guessed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSWORD_CHANGE_FORCED = "password_change_forced"  # noqa: S105 - the name of a letter, no secret
    EMAIL_CHANGE_CODE = "email_change_code"
    EMAIL_CHANGE_TAKEN = "email_change_taken"
    EMAIL_CHANGED = "email_changed"
    EMAIL_CHANGED_FORMER = "email_changed_former"
    EMAIL_CHANGED_RECOVERY = "email_changed_recovery"
    EMAIL_RESET = "email_reset"
    EMAIL_RESET_FORMER = "email_reset_former"
    EMAIL_RESET_RECOVERY = "email_reset_recovery"
    RECOVERY_EMAIL_CODE = "recovery_email_code"
    RECOVERY_EMAIL_SET = "recovery_email_set"
    RECOVERY_EMAIL_REMOVED = "recovery_email_removed"
    RECOVERY_EMAIL_RESET = "recovery_email_reset"
    RECOVERY_EMAIL_HERE = "recovery_email_here"
    RECOVERY_EMAIL_GONE = "recovery_email_gone"
    FACTORS_RESET = "factors_reset"
    DEVICE_TRUSTED = "device_trusted"
    SIGN_IN_UNUSUAL = "sign_in_unusual"
    SESSION_UNUSUAL = "session_unusual"
    ACCOUNT_DISABLED = "account_disabled"
    ACCOUNT_ENABLED = "account_enabled"
    NOT_ME = "not_me"


_SIGHTING = frozenset({"at", "device", "place", "ip"})
_WARNING = _SIGHTING | {"not_me_code"}
_HANDED_OVER = frozenset({"at", "reference"})

REQUIRED_VALUES: dict[MailKind, frozenset[str]] = {
    MailKind.SIGN_UP_CODE: frozenset({"code", "minutes"}),
    MailKind.SIGN_UP_EXISTING: frozenset(),
    MailKind.SESSION_REPLAYED: _WARNING,
    MailKind.CLIENT_ID_MISMATCH: _WARNING,
    MailKind.ACCOUNT_WITHDRAWN: frozenset(),
    MailKind.PASSWORD_RESET_CODE: frozenset({"code", "minutes"}),
    MailKind.PASSWORD_RESET_NO_ACCOUNT: frozenset(),
    MailKind.PASSWORD_RESET_CODE_RECOVERY: frozenset({"code", "minutes", "email"}),
    MailKind.PASSWORD_CHANGED_RECOVERY: _SIGHTING | {"email"},
    MailKind.PASSWORD_CHANGED: _WARNING,
    MailKind.FACTOR_CODE: frozenset({"code", "minutes"}),
    MailKind.FACTOR_ADDED: _WARNING | {"factor", "name"},
    MailKind.FACTOR_REMOVED: _WARNING | {"factor", "name", "left"},
    MailKind.FACTOR_GUESSED: _WARNING,
    MailKind.RECOVERY_CODES_MADE: _WARNING,
    MailKind.RECOVERY_CODE_USED: _WARNING | {"left"},
    MailKind.PASSWORD_CHANGE_FORCED: frozenset(),
    MailKind.EMAIL_CHANGE_CODE: frozenset({"code", "minutes"}),
    MailKind.EMAIL_CHANGE_TAKEN: frozenset(),
    MailKind.EMAIL_CHANGED: _SIGHTING | {"new_email"},
    MailKind.EMAIL_CHANGED_FORMER: _WARNING | {"new_email"},
    MailKind.EMAIL_CHANGED_RECOVERY: _SIGHTING | {"new_email"},
    MailKind.EMAIL_RESET: _HANDED_OVER | {"account_is", "password_was", "recovery_was", "factors_were"},
    MailKind.EMAIL_RESET_FORMER: _HANDED_OVER | {"address_was"},
    MailKind.EMAIL_RESET_RECOVERY: _HANDED_OVER | {"new_email"},
    MailKind.RECOVERY_EMAIL_CODE: frozenset({"code", "minutes"}),
    MailKind.RECOVERY_EMAIL_SET: _WARNING | {"recovery_email"},
    MailKind.RECOVERY_EMAIL_REMOVED: _WARNING | {"recovery_email"},
    MailKind.RECOVERY_EMAIL_RESET: frozenset({"at", "recovery_email"}),
    MailKind.RECOVERY_EMAIL_HERE: frozenset({"at", "email"}),
    MailKind.RECOVERY_EMAIL_GONE: frozenset({"at", "email"}),
    MailKind.FACTORS_RESET: frozenset({"at"}),
    MailKind.DEVICE_TRUSTED: _WARNING | {"days"},
    MailKind.SIGN_IN_UNUSUAL: _WARNING | {"reasons"},
    MailKind.SESSION_UNUSUAL: _WARNING | {"reasons"},
    MailKind.NOT_ME: _SIGHTING,
    MailKind.ACCOUNT_DISABLED: frozenset({"at"}),
    MailKind.ACCOUNT_ENABLED: frozenset({"at"}),
}
"""What each letter must be given. `at` is RFC 3339; device, place, ip and name may be ""; `factor` is a `FactorKind`;
`left` and `days` count; `email` is the account's address, in letters to its recovery address; `not_me_code` is for the
flow `not_me`; `reasons` are words of `model.Unusual` with spaces between; `reference` is the account's id, by which the
operator finds it; `password_was`, `recovery_was` and `factors_were` "removed", "kept" or "none"; `account_is` "open" or
"blocked"; `address_was` the account's "address" or its "recovery_address"."""


class TextKind(StrEnum):
    """Every text message there is. A closed vocabulary: each has a template in every language."""

    FACTOR_CODE = "text_factor_code"


REQUIRED_TEXT_VALUES: dict[TextKind, frozenset[str]] = {TextKind.FACTOR_CODE: frozenset({"code", "minutes"})}


class Outbox:
    def __init__(self, master: MasterSecret) -> None:
        self._master = master

    def letter(
        self,
        kind: MailKind,
        *,
        to: str,
        locale: str,
        now: Millis,
        expires_at: Millis | None = None,
        **values: str,
    ) -> QueueMail:
        """Return the change that queues one letter; it goes into the commit of its event.

        Raises:
            ValueError: not exactly the values that this kind needs. A programming mistake.
        """
        _check_values(kind, REQUIRED_VALUES[kind], values)
        return self._queue(Mail(kind=kind, to=to, locale=locale, values=values), now, expires_at)

    def text_message(
        self, kind: TextKind, *, to: str, locale: str, now: Millis, expires_at: Millis, **values: str
    ) -> QueueMail:
        """Return the change that queues one text message to a phone number in the form of E.164.

        Raises:
            ValueError: as `letter`.
        """
        _check_values(kind, REQUIRED_TEXT_VALUES[kind], values)
        message = Mail(kind=kind, to=to, locale=locale, values=values, channel=Channel.SMS)
        return self._queue(message, now, expires_at)

    def open(self, queued: QueuedMail) -> Mail:
        """Return the letter of an outbox row.

        Raises:
            UnsealError: damaged, from another row, or sealed under another master secret, be it one from before: else
                whoever had learned that one could have letters sent.
        """
        return msgspec.json.decode(self._master.unseal_own(_PURPOSE, queued.sealed, _context(queued.id)), type=Mail)

    def _queue(self, mail: Mail, now: Millis, expires_at: Millis | None) -> QueueMail:
        # The id is public: it stands in the Message-ID and in logs.
        mail_id = secrets.token_urlsafe(16)
        sealed = self._master.seal(_PURPOSE, msgspec.json.encode(mail), _context(mail_id))
        return QueueMail(id=mail_id, sealed=sealed, now=now, expires_at=expires_at)


def _check_values(kind: str, wanted: frozenset[str], values: dict[str, str]) -> None:
    if values.keys() != wanted:
        raise ValueError(f"{kind} needs {sorted(wanted)}, got {sorted(values)}")


def sealed_as(mail_id: str) -> tuple[str, str]:
    """Return purpose and context of a letter that waits, for whoever seals it anew."""
    return _PURPOSE, _context(mail_id)


def _context(mail_id: str) -> str:
    return f"outbox:{mail_id}"
