"""Factors, recovery codes and challenges. The account's row is the lock of what changes how one may come in."""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.model import AccountId
from sekisho.ports import factor_changes as changes
from sekisho.storage.changes.erasure import FORGET_TRUSTED_DEVICES
from sekisho.storage.changes.locks import LOCK_ACCOUNT
from sekisho.storage.rows import CHALLENGE, FACTOR, columns, factor_from
from sekisho.storage.steps import Losing, Step, Steps, Value

DROP_UNFINISHED = "DELETE FROM factors WHERE account_id = :account_id AND kind = :kind AND confirmed_at IS NULL"
COUNT_CONFIRMED = "SELECT count(*) FROM factors WHERE account_id = :account_id AND confirmed_at IS NOT NULL"

INSERT_FACTOR = f"""
INSERT INTO factors ({columns(FACTOR)})
VALUES (:id, :account_id, :kind, :name, :sealed, :last_step, :created_at, :confirmed_at, :last_used_at, :expires_at, 0,
        NULL)
"""

CONFIRM = """
UPDATE factors SET confirmed_at = :now, last_step = :step, expires_at = NULL
WHERE id = :id AND account_id = :account_id AND confirmed_at IS NULL AND expires_at > :now
RETURNING id
"""

USE = """
UPDATE factors SET last_step = CASE WHEN :step > 0 THEN :step ELSE last_step END, last_used_at = :now
WHERE id = :id AND account_id = :account_id AND confirmed_at IS NOT NULL AND (:step = 0 OR last_step < :step)
RETURNING id
"""

# The row is the counter: whoever comes after the last try that is left changes nothing and compares nothing.
COUNT_FAILURE = """
UPDATE factors SET failures = failures + 1
WHERE account_id = :account_id AND kind = :kind AND confirmed_at IS NOT NULL AND failures < :most
RETURNING id
"""

# A code is compared with every factor of its kind, so a right one forgives all of them, but for those that are locked.
FORGIVE = """
UPDATE factors SET failures = 0
WHERE account_id = :account_id AND kind = (SELECT kind FROM factors WHERE id = :id) AND failures > 0
    AND (id = :id OR failures < :most)
"""

RENAME = f"""
UPDATE factors SET name = :name
WHERE id = :id AND account_id = :account_id AND confirmed_at IS NOT NULL
RETURNING {columns(FACTOR)}
"""

# Suspended twice, it is so since the first time.
SUSPEND = """
UPDATE factors SET suspended_at = COALESCE(suspended_at, :now)
WHERE id = :id AND account_id = :account_id AND confirmed_at IS NOT NULL
RETURNING id
"""

REACTIVATE = """
UPDATE factors SET suspended_at = NULL
WHERE id = :id AND account_id = :account_id AND confirmed_at IS NOT NULL
RETURNING id
"""

REMOVE = """
DELETE FROM factors WHERE id = :id AND account_id = :account_id AND confirmed_at IS NOT NULL RETURNING id
"""

REMOVE_ALL = """
DELETE FROM factors WHERE account_id = :account_id RETURNING CASE WHEN confirmed_at IS NULL THEN 0 ELSE 1 END
"""

RAISE_VERSION = "UPDATE accounts SET security_version = security_version + 1 WHERE id = :id"

RAISE_VERSION_OF_ANY = """
UPDATE accounts SET security_version = security_version + 1 WHERE id = :id AND status <> 'withdrawn' RETURNING id
"""

FORGET_CODES = "DELETE FROM recovery_codes WHERE account_id = :account_id"

ADD_CODE = "INSERT INTO recovery_codes (account_id, code_hash) VALUES (:account_id, :code_hash)"

SPEND_CODE = """
UPDATE recovery_codes SET used_at = :now
WHERE account_id = :account_id AND code_hash = :code_hash AND used_at IS NULL
RETURNING account_id
"""

COUNT_UNUSED = "SELECT count(*) FROM recovery_codes WHERE account_id = :account_id AND used_at IS NULL"

OPEN = f"""
INSERT INTO challenges ({columns(CHALLENGE)})
VALUES (:id, :account_id, :client_id, :transport, :security_version, :created_at, :expires_at, NULL)
"""

COUNT_TRY = """
UPDATE challenges SET tries = tries + 1
WHERE id = :id AND used_at IS NULL AND expires_at > :now AND tries < :max_tries
RETURNING tries
"""

IS_LIVE = "SELECT 1 FROM challenges WHERE id = :id AND used_at IS NULL AND expires_at > :now"

SPEND_CHALLENGE = """
UPDATE challenges SET used_at = :now WHERE id = :id AND used_at IS NULL AND expires_at > :now RETURNING id
"""


def add_factor(change: changes.AddFactor) -> Steps:
    factor = change.factor
    if not (yield _lock(factor.account_id, change.security_version)):
        return Losing("security_version")
    yield Step(DROP_UNFINISHED, {"account_id": factor.account_id, "kind": factor.kind.value})
    confirmed = yield Step(COUNT_CONFIRMED, {"account_id": factor.account_id})
    if confirmed[0][0] >= change.max_factors:
        return Losing("too_many")
    yield Step(
        INSERT_FACTOR,
        {
            "id": factor.id,
            "account_id": factor.account_id,
            "kind": factor.kind.value,
            "name": factor.name,
            "sealed": factor.sealed,
            "last_step": factor.last_step,
            "created_at": factor.created_at,
            "confirmed_at": factor.confirmed_at,
            "last_used_at": factor.last_used_at,
            "expires_at": factor.expires_at,
        },
    )
    return None


def confirm_factor(change: changes.ConfirmFactor) -> Steps:
    if not (yield _lock(change.account_id, change.security_version)):
        return Losing("security_version")
    confirmed = yield Step(
        CONFIRM, {"id": change.factor_id, "account_id": change.account_id, "step": change.step, "now": change.now}
    )
    if not confirmed:
        return Losing("factor_gone")
    yield Step(RAISE_VERSION, {"id": change.account_id})
    return None


def use_factor(change: changes.UseFactor) -> Steps:
    used = yield Step(
        USE, {"id": change.factor_id, "account_id": change.account_id, "step": change.step, "now": change.now}
    )
    if not used:
        return Losing("step_used")
    yield Step(FORGIVE, {"id": change.factor_id, "account_id": change.account_id, "most": change.max_failures})
    return None


def count_factor_try(change: changes.CountFactorTry) -> Steps:
    counted = yield Step(
        COUNT_FAILURE, {"account_id": change.account_id, "kind": change.kind.value, "most": change.max_failures}
    )
    return frozenset(row[0] for row in counted) if counted else Losing("factor_locked")


def rename_factor(change: changes.RenameFactor) -> Steps:
    rows = yield Step(RENAME, {"id": change.factor_id, "account_id": change.account_id, "name": change.name})
    return factor_from(rows[0]) if rows else Losing("factor_gone")


def suspend_factor(change: changes.SuspendFactor) -> Steps:
    rows = yield Step(SUSPEND, {"id": change.factor_id, "account_id": change.account_id, "now": change.now})
    return None if rows else Losing("factor_gone")


def reactivate_factor(change: changes.ReactivateFactor) -> Steps:
    rows = yield Step(REACTIVATE, {"id": change.factor_id, "account_id": change.account_id})
    return None if rows else Losing("factor_gone")


def remove_factor(change: changes.RemoveFactor) -> Steps:
    owner = {"account_id": change.account_id}
    if not (yield _lock(change.account_id, change.security_version)):
        return Losing("security_version")
    if not (yield Step(REMOVE, {"id": change.factor_id, **owner})):
        return Losing("factor_gone")
    yield Step(RAISE_VERSION, {"id": change.account_id})
    left: int = (yield Step(COUNT_CONFIRMED, owner))[0][0]
    if not left:
        yield Step(FORGET_CODES, owner)
    return left


def remove_factors(change: changes.RemoveFactors) -> Steps:
    owner = {"account_id": change.account_id}
    if not (yield Step(RAISE_VERSION_OF_ANY, {"id": change.account_id})):
        return Losing("account_gone")
    removed = yield Step(REMOVE_ALL, owner)
    yield Step(FORGET_CODES, owner)
    yield Step(FORGET_TRUSTED_DEVICES, {"id": change.account_id})
    return sum(row[0] for row in removed)


def set_recovery_codes(change: changes.SetRecoveryCodes) -> Steps:
    if not (yield _lock(change.account_id, change.security_version)):
        return Losing("security_version")
    yield Step(FORGET_CODES, {"account_id": change.account_id})
    for code_hash in change.code_hashes:
        yield Step(ADD_CODE, {"account_id": change.account_id, "code_hash": code_hash})
    return None


def spend_recovery_code(change: changes.SpendRecoveryCode) -> Steps:
    spent = yield Step(SPEND_CODE, {"account_id": change.account_id, "code_hash": change.code_hash, "now": change.now})
    if not spent:
        return Losing("code_gone")
    left: int = (yield Step(COUNT_UNUSED, {"account_id": change.account_id}))[0][0]
    return left


def open_challenge(change: changes.OpenChallenge) -> Steps:
    challenge = change.challenge
    if not (yield _lock(challenge.account_id, challenge.security_version)):
        return Losing("security_version")
    yield Step(
        OPEN,
        {
            "id": challenge.id,
            "account_id": challenge.account_id,
            "client_id": challenge.client_id,
            "transport": challenge.transport.value,
            "security_version": challenge.security_version,
            "created_at": challenge.created_at,
            "expires_at": challenge.expires_at,
        },
    )
    return None


def count_challenge_try(change: changes.CountChallengeTry) -> Steps:
    asked: dict[str, Value] = {"id": change.challenge_id, "now": change.now}
    counted = yield Step(COUNT_TRY, {**asked, "max_tries": change.max_tries})
    if counted:
        return counted[0][0]
    return Losing("challenge_dead" if (yield Step(IS_LIVE, asked)) else "challenge_gone")


def spend_challenge(change: changes.SpendChallenge) -> Steps:
    spent = yield Step(SPEND_CHALLENGE, {"id": change.challenge_id, "now": change.now})
    return None if spent else Losing("challenge_gone")


def _lock(account_id: AccountId, security_version: int) -> Step:
    return Step(LOCK_ACCOUNT, {"id": account_id, "security_version": security_version})
