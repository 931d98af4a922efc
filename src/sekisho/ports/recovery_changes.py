"""Writes of an account's recovery address. See `ports.changes`."""

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
