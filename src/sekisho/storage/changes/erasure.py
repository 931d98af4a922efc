"""Withdrawal: what is forgotten about a person, in one place."""

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

FORGET_CODES = """
DELETE FROM one_time_codes WHERE id IN (SELECT id FROM pending_sign_ups WHERE email_key = :email_key)
"""

FORGET_SIGN_UPS = "DELETE FROM pending_sign_ups WHERE email_key = :email_key"

FORGET_DEVICES = "DELETE FROM known_devices WHERE identifier_tag = :identifier_tag"

BLANK_SESSIONS = """
UPDATE sessions
SET ip = '', user_agent = '', place = '', device_name = '', device_os = '', device_browser = '', device_type = 'other'
WHERE account_id = :id
"""

BLANK_AUDIT = "UPDATE audit SET ip = '', user_agent = '', place = '', device = '' WHERE account_id = :id"

# Sign-ups and refusals that name no account say where their person was, too.
BLANK_AUDIT_OF_ADDRESS = """
UPDATE audit SET ip = '', user_agent = '', place = '', device = ''
WHERE identifier_tag = :identifier_tag AND account_id = ''
"""


def erase_account(change: changes.EraseAccount) -> Steps:
    locked = yield Step(LOCK_ACCOUNT, {"id": change.account_id, "security_version": change.security_version})
    if not locked:
        return Losing("security_version")
    account, address = {"id": change.account_id}, {"email_key": locked[0][0]}

    yield Step(FORGET_CODES, address)
    yield Step(FORGET_SIGN_UPS, address)
    yield Step(FORGET_DEVICES, {"identifier_tag": change.identifier_tag})
    yield Step(BLANK_SESSIONS, account)
    yield Step(BLANK_AUDIT, account)
    yield Step(BLANK_AUDIT_OF_ADDRESS, {"identifier_tag": change.identifier_tag})
    yield Step(ERASE, account)
    return None
