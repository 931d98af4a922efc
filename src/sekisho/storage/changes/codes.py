"""Pending sign-ups and one-time codes. A code is spent by one statement that has one winner."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.ports import changes
from sekisho.storage.rows import PENDING_SIGN_UP, columns
from sekisho.storage.steps import Losing, Step, Steps

ADD_PENDING = f"""
INSERT INTO pending_sign_ups ({columns(PENDING_SIGN_UP)})
VALUES (:id, :email, :email_key, :client_id, :locale, :password_hash, :is_decoy, :created_at, :expires_at)
"""

ADD_CODE = """
INSERT INTO one_time_codes (id, purpose, code_hash, tries, expires_at)
VALUES (:id, :purpose, :code_hash, 0, :expires_at)
"""

PUT_CODE = """
INSERT INTO one_time_codes (id, purpose, code_hash, tries, expires_at)
VALUES (:id, :purpose, :code_hash, 0, :expires_at)
ON CONFLICT (id) DO UPDATE SET
    purpose = :purpose, code_hash = :code_hash, tries = 0, expires_at = :expires_at, used_at = NULL
"""

REPLACE = """
UPDATE one_time_codes SET code_hash = :code_hash, tries = 0, expires_at = :expires_at
WHERE id = :id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
RETURNING id
"""

PROLONG = "UPDATE pending_sign_ups SET expires_at = :expires_at WHERE id = :id"

COUNT_TRY = """
UPDATE one_time_codes SET tries = tries + 1
WHERE id = :id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now AND tries < :max_tries
RETURNING code_hash
"""

IS_LIVE = """
SELECT 1 FROM one_time_codes WHERE id = :id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
"""

CONSUME = """
UPDATE one_time_codes SET used_at = :now
WHERE id = :id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now AND code_hash = :code_hash
RETURNING id
"""

SPOIL_CODES = """
UPDATE one_time_codes SET code_hash = :code_hash
WHERE id IN (SELECT id FROM pending_sign_ups WHERE email_key = :email_key AND id <> :except_id)
"""

SPOIL_SIGN_UPS = "UPDATE pending_sign_ups SET is_decoy = 1 WHERE email_key = :email_key AND id <> :except_id"


def add_pending_sign_up(change: changes.AddPendingSignUp) -> Steps:
    pending, code = change.pending, change.code
    yield Step(
        ADD_PENDING,
        {
            "id": pending.id,
            "email": pending.email,
            "email_key": pending.email_key,
            "client_id": pending.client_id,
            "locale": pending.locale,
            "password_hash": pending.password_hash,
            "is_decoy": int(pending.is_decoy),
            "created_at": pending.created_at,
            "expires_at": pending.expires_at,
        },
    )
    yield Step(
        ADD_CODE,
        {"id": code.id, "purpose": code.purpose, "code_hash": code.code_hash, "expires_at": code.expires_at},
    )
    return None


def put_code(change: changes.PutCode) -> Steps:
    code = change.code
    yield Step(
        PUT_CODE,
        {"id": code.id, "purpose": code.purpose, "code_hash": code.code_hash, "expires_at": code.expires_at},
    )
    return None


def replace_code(change: changes.ReplaceCode) -> Steps:
    rows = yield Step(
        REPLACE,
        {
            "id": change.id,
            "purpose": change.purpose,
            "code_hash": change.code_hash,
            "expires_at": change.expires_at,
            "now": change.now,
        },
    )
    if not rows:
        return Losing("code_gone")
    yield Step(PROLONG, {"id": change.id, "expires_at": change.expires_at})
    return None


def count_code_try(change: changes.CountCodeTry) -> Steps:
    rows = yield Step(
        COUNT_TRY,
        {"id": change.id, "purpose": change.purpose, "max_tries": change.max_tries, "now": change.now},
    )
    if rows:
        return rows[0][0]
    live = yield Step(IS_LIVE, {"id": change.id, "purpose": change.purpose, "now": change.now})
    return Losing("code_dead" if live else "code_gone")


def consume_code(change: changes.ConsumeCode) -> Steps:
    rows = yield Step(
        CONSUME,
        {"id": change.id, "purpose": change.purpose, "code_hash": change.code_hash, "now": change.now},
    )
    return None if rows else Losing("code_gone")


def spoil_sign_ups(change: changes.SpoilSignUps) -> Steps:
    others = {"email_key": change.email_key, "except_id": change.except_id}
    yield Step(SPOIL_SIGN_UPS, others)
    yield Step(SPOIL_CODES, {**others, "code_hash": change.code_hash})
    return None
