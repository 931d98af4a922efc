"""Changes of accounts."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.changes.locks import LOCK_ACCOUNT
from sekisho.storage.rows import ACCOUNT, account_from, columns, text_from_words
from sekisho.storage.steps import Losing, Step, Steps

INSERT = f"""
INSERT INTO accounts ({columns(ACCOUNT)})
VALUES (:id, :email, :email_key, :is_verified, :name, :locale, :roles, :status, :password_hash, :security_version,
        :created_at)
ON CONFLICT (email_key) DO NOTHING
RETURNING id
"""

CHANGE_PROFILE = f"""
UPDATE accounts SET name = COALESCE(:name, name), locale = COALESCE(:locale, locale)
WHERE id = :id AND status = 'active'
RETURNING {columns(ACCOUNT)}
"""

REPLACE_HASH = """
UPDATE accounts SET password_hash = :new_hash
WHERE id = :id AND password_hash = :old_hash
RETURNING id
"""

NEW_HASH_AND_VERSION = """
UPDATE accounts SET password_hash = :password_hash, security_version = security_version + 1
WHERE id = :id AND status = 'active' AND security_version = :security_version
RETURNING id
"""

SET_ASIDE = """
INSERT INTO earlier_passwords (account_id, security_version, password_hash)
SELECT id, security_version, password_hash FROM accounts WHERE id = :id AND password_hash IS NOT NULL
"""

KEEP_NEWEST = """
DELETE FROM earlier_passwords
WHERE account_id = :id AND security_version NOT IN (
    SELECT security_version FROM earlier_passwords WHERE account_id = :id ORDER BY security_version DESC LIMIT :keep
)
"""

# Who has no password may have had it taken away: it must not come back.
FORGET_EARLIER = """
DELETE FROM earlier_passwords
WHERE (account_id, security_version) IN (
    SELECT earlier_passwords.account_id, earlier_passwords.security_version
    FROM earlier_passwords JOIN accounts ON accounts.id = earlier_passwords.account_id
    WHERE accounts.password_hash IS NOT NULL
    LIMIT :limit
)
RETURNING 1
"""

# One statement decides whether the address is free, and the unique index decides between two that think so at once.
CHANGE_EMAIL = f"""
UPDATE accounts
SET email = :email, email_key = :email_key, is_verified = 1, security_version = security_version + 1
WHERE id = :id AND NOT EXISTS (SELECT 1 FROM accounts AS other WHERE other.email_key = :email_key AND other.id <> :id)
RETURNING {columns(ACCOUNT)}
"""

FORGET_DEVICES = "DELETE FROM known_devices WHERE identifier_tag = :identifier_tag"

# One mailbox is no second one.
FORGET_SAME_RECOVERY_EMAIL = "DELETE FROM recovery_emails WHERE account_id = :id AND email_key = :email_key"

SET_STATUS = """
UPDATE accounts SET status = :status, security_version = security_version + 1
WHERE id = :id AND status = :expected
RETURNING id
"""

SET_ROLES = """
UPDATE accounts SET roles = :roles
WHERE id = :id AND status <> 'withdrawn'
RETURNING id
"""


def add_account(change: changes.AddAccount) -> Steps:
    account = change.account
    added = yield Step(
        INSERT,
        {
            "id": account.id,
            "email": account.email,
            "email_key": account.email_key,
            "is_verified": int(account.is_verified),
            "name": account.name,
            "locale": account.locale,
            "roles": text_from_words(account.roles),
            "status": account.status.value,
            "password_hash": account.password_hash,
            "security_version": account.security_version,
            "created_at": account.created_at,
        },
    )
    return None if added else Losing("email_taken")


def change_profile(change: changes.ChangeProfile) -> Steps:
    rows = yield Step(CHANGE_PROFILE, {"id": change.account_id, "name": change.name, "locale": change.locale})
    return account_from(rows[0]) if rows else Losing("account_gone")


def replace_password_hash(change: changes.ReplacePasswordHash) -> Steps:
    rows = yield Step(REPLACE_HASH, {"id": change.account_id, "old_hash": change.old_hash, "new_hash": change.new_hash})
    return None if rows else Losing("hash_changed")


def set_password(change: changes.SetPassword) -> Steps:
    if change.keep_earlier:
        # One after the other: of two that set one aside at once, the second finds another version.
        locked = yield Step(LOCK_ACCOUNT, {"id": change.account_id, "security_version": change.security_version})
        if not locked:
            return Losing("security_version")
        yield Step(SET_ASIDE, {"id": change.account_id})
    rows = yield Step(
        NEW_HASH_AND_VERSION,
        {
            "id": change.account_id,
            "security_version": change.security_version,
            "password_hash": change.password_hash,
        },
    )
    if not rows:
        return Losing("security_version")
    yield Step(KEEP_NEWEST, {"id": change.account_id, "keep": change.keep_earlier})
    return None


def forget_earlier_passwords(change: changes.ForgetEarlierPasswords) -> Steps:
    return len((yield Step(FORGET_EARLIER, {"limit": change.limit})))


def change_email(change: changes.ChangeEmail) -> Steps:
    locked = yield Step(LOCK_ACCOUNT, {"id": change.account_id, "security_version": change.security_version})
    if not locked:
        return Losing("security_version")
    address = {"id": change.account_id, "email": change.email, "email_key": change.email_key}
    rows = yield Step(CHANGE_EMAIL, address)
    if not rows:
        return Losing("email_taken")
    yield Step(FORGET_DEVICES, {"identifier_tag": change.old_identifier_tag})
    yield Step(FORGET_SAME_RECOVERY_EMAIL, {"id": change.account_id, "email_key": change.email_key})
    return account_from(rows[0])


def set_account_status(change: changes.SetAccountStatus) -> Steps:
    rows = yield Step(SET_STATUS, {"id": change.account_id, "expected": change.expected, "status": change.status})
    return None if rows else Losing("account_gone")


def set_roles(change: changes.SetRoles) -> Steps:
    rows = yield Step(SET_ROLES, {"id": change.account_id, "roles": text_from_words(change.roles)})
    return None if rows else Losing("account_gone")
