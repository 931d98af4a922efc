"""Writes about getting back into an account: its recovery address, and what an operator does for its owner. See
`ports.changes`."""

from __future__ import annotations

from sekisho.model import AccountId, RecoveryEmail
from sekisho.ports.changes import Change


class SetRecoveryEmail(Change, frozen=True, kw_only=True):
    """Give the account a recovery address, in the place of an older one, and raise `security_version`. Loses
    (`security_version`) if the account is not active or its version is not the one given."""

    recovery: RecoveryEmail
    security_version: int


class RemoveRecoveryEmail(Change, frozen=True, kw_only=True):
    """Forget the account's recovery address and raise `security_version`. Loses (`security_version`) if the account's
    version is not the one given, and (`no_recovery_email`) if it has none."""

    account_id: AccountId
    security_version: int


class GiveAccountBack(Change, frozen=True, kw_only=True):
    """What an operator does for an owner who has lost the mailbox, or the whole account to somebody else: give it
    another address, verified, and raise `security_version`. Forget the devices known by the address before
    (`old_identifier_tag`), trusted devices, challenges and unfinished enrolments; and, where it is asked for, the
    password (the newest `keep_earlier` hashes stay, that one among them, as with `SetPassword`), the recovery address,
    factors and recovery codes. A recovery address that is the new address goes in any case.

    Loses (`security_version`) if the account is withdrawn or its version is not the one given, whether it is active or
    disabled, and (`email_taken`) if another account has the `email_key`. Returns the `Account`.

    Concurrency: as `ChangeEmail`.
    """

    account_id: AccountId
    security_version: int
    email: str
    email_key: str
    old_identifier_tag: str
    keep_earlier: int
    takes_password: bool = True
    takes_recovery_email: bool = True
    takes_factors: bool = True
