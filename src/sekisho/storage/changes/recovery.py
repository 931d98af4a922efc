"""The recovery address of an account. The account's row is the lock, as of everything by which one may come in."""

from __future__ import annotations

from sekisho.ports import recovery_changes as changes
from sekisho.storage.steps import Losing, Step, Steps

RAISE_VERSION = """
UPDATE accounts SET security_version = security_version + 1
WHERE id = :id AND status = 'active' AND security_version = :security_version
RETURNING id
"""

# Whatever its state: an operator removes the address of a disabled account too. A change of state is a new version.
RAISE_VERSION_OF_ANY = """
UPDATE accounts SET security_version = security_version + 1
WHERE id = :id AND security_version = :security_version
RETURNING id
"""

PUT = """
INSERT INTO recovery_emails (account_id, email, email_key, verified_at)
VALUES (:account_id, :email, :email_key, :verified_at)
ON CONFLICT (account_id) DO UPDATE SET email = :email, email_key = :email_key, verified_at = :verified_at
"""

REMOVE = "DELETE FROM recovery_emails WHERE account_id = :id RETURNING account_id"


def set_recovery_email(change: changes.SetRecoveryEmail) -> Steps:
    recovery = change.recovery
    raised = yield Step(RAISE_VERSION, {"id": recovery.account_id, "security_version": change.security_version})
    if not raised:
        return Losing("security_version")
    yield Step(
        PUT,
        {
            "account_id": recovery.account_id,
            "email": recovery.email,
            "email_key": recovery.email_key,
            "verified_at": recovery.verified_at,
        },
    )
    return None


def remove_recovery_email(change: changes.RemoveRecoveryEmail) -> Steps:
    account = {"id": change.account_id}
    if not (yield Step(RAISE_VERSION_OF_ANY, {**account, "security_version": change.security_version})):
        return Losing("security_version")
    return None if (yield Step(REMOVE, account)) else Losing("no_recovery_email")
