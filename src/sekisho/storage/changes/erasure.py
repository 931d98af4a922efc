"""Withdrawal: what is forgotten about a person, in one place."""

# ruff: noqa: S608 - the texts are put together from constants

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.changes.locks import LOCK_ACCOUNT
from sekisho.storage.steps import Losing, Step, Steps

ERASE = """
UPDATE accounts
SET email = '', email_key = NULL, is_verified = 0, name = '', locale = 'en', roles = '[]', password_hash = NULL,
    status = 'withdrawn', security_version = security_version + 1
WHERE id = :id
"""

# A stranger may hold the handle of one: if it were gone, its answers would tell when the account left. So they go on
# as decoys, found by the keyed hash that takes the place of the address, until their time is over.
SPOIL_CODES = """
UPDATE one_time_codes SET code_hash = :code_hash
WHERE id IN (SELECT id FROM pending_sign_ups WHERE email_key = :email_key)
"""

SPOIL_SIGN_UPS = """
UPDATE pending_sign_ups
SET is_decoy = 1, email = '', email_key = :identifier_tag, locale = '', password_hash = ''
WHERE email_key = :email_key
"""

NO_CODE = b""

FORGET_DEVICES = "DELETE FROM known_devices WHERE identifier_tag = :identifier_tag"

FORGET_FACTORS = "DELETE FROM factors WHERE account_id = :id"
FORGET_RECOVERY_CODES = "DELETE FROM recovery_codes WHERE account_id = :id"
FORGET_TRUSTED_DEVICES = "DELETE FROM trusted_devices WHERE account_id = :id"
FORGET_EARLIER_PASSWORDS = "DELETE FROM earlier_passwords WHERE account_id = :id"
FORGET_RECOVERY_EMAIL = "DELETE FROM recovery_emails WHERE account_id = :id"
FORGET_CHALLENGES = "DELETE FROM challenges WHERE account_id = :id"

# Its id is made of the keyed hash of the address, and it lives for days.
FORGET_NOT_ME = "DELETE FROM one_time_codes WHERE id = :id"
NOT_ME_ID = "not_me:{}"

BLANK_SESSIONS = """
UPDATE sessions
SET ip = '', user_agent = '', place = '', device_name = '', device_os = '', device_browser = '', device_type = 'other'
WHERE account_id = :id
"""

# What is personal in a record of the audit trail.
BLANK = "identifier_tag = '', ip = '', user_agent = '', place = '', device = ''"

BLANK_AUDIT = f"UPDATE audit SET {BLANK} WHERE account_id = :id"

# Sign-ups and refusals that name no account say where their person was, too.
BLANK_AUDIT_OF_ADDRESS = f"UPDATE audit SET {BLANK} WHERE identifier_tag = :identifier_tag AND account_id = ''"


def erase_account(change: changes.EraseAccount) -> Steps:
    locked = yield Step(LOCK_ACCOUNT, {"id": change.account_id, "security_version": change.security_version})
    if not locked:
        return Losing("security_version")
    account, address = {"id": change.account_id}, {"email_key": locked[0][0]}

    yield Step(SPOIL_CODES, {**address, "code_hash": NO_CODE})
    yield Step(SPOIL_SIGN_UPS, {**address, "identifier_tag": change.identifier_tag})
    yield Step(FORGET_DEVICES, {"identifier_tag": change.identifier_tag})
    yield Step(FORGET_FACTORS, account)
    yield Step(FORGET_RECOVERY_CODES, account)
    yield Step(FORGET_TRUSTED_DEVICES, account)
    yield Step(FORGET_CHALLENGES, account)
    yield Step(FORGET_EARLIER_PASSWORDS, account)
    yield Step(FORGET_RECOVERY_EMAIL, account)
    yield Step(FORGET_NOT_ME, {"id": NOT_ME_ID.format(change.identifier_tag)})
    yield Step(BLANK_SESSIONS, account)
    yield Step(BLANK_AUDIT, account)
    yield Step(BLANK_AUDIT_OF_ADDRESS, {"identifier_tag": change.identifier_tag})
    yield Step(ERASE, account)
    return None
