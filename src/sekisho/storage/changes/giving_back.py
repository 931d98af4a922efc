"""An account goes back to its owner, and what somebody else may have left in it goes."""

from __future__ import annotations

from collections.abc import Mapping

from sekisho.ports import recovery_changes as changes
from sekisho.storage.changes import accounts, erasure
from sekisho.storage.changes.locks import LOCK_PRESENT_ACCOUNT
from sekisho.storage.rows import account_from
from sekisho.storage.steps import Losing, Step, Steps, Value

TAKE_PASSWORD = "UPDATE accounts SET password_hash = NULL WHERE id = :id"  # noqa: S105 - a statement, no secret
FORGET_UNFINISHED = "DELETE FROM factors WHERE account_id = :id AND confirmed_at IS NULL"


def give_account_back(change: changes.GiveAccountBack) -> Steps:
    account: Mapping[str, Value] = {"id": change.account_id}
    address = {**account, "email_key": change.email_key}
    if not (yield Step(LOCK_PRESENT_ACCOUNT, {**account, "security_version": change.security_version})):
        return Losing("security_version")
    if change.takes_password:
        # Before the version rises: a hash is set aside under the one that it was the present password of.
        yield Step(accounts.SET_ASIDE, account)
        yield Step(TAKE_PASSWORD, account)
        yield Step(accounts.KEEP_NEWEST, {**account, "keep": change.keep_earlier})
    rows = yield Step(accounts.CHANGE_EMAIL, {**address, "email": change.email})
    if not rows:
        return Losing("email_taken")
    yield Step(accounts.FORGET_DEVICES, {"identifier_tag": change.old_identifier_tag})
    yield Step(erasure.FORGET_TRUSTED_DEVICES, account)
    yield Step(erasure.FORGET_CHALLENGES, account)
    if change.takes_recovery_email:
        yield Step(erasure.FORGET_RECOVERY_EMAIL, account)
    else:
        yield Step(accounts.FORGET_SAME_RECOVERY_EMAIL, address)
    if change.takes_factors:
        yield Step(erasure.FORGET_FACTORS, account)
        yield Step(erasure.FORGET_RECOVERY_CODES, account)
    else:
        yield Step(FORGET_UNFINISHED, account)
    return account_from(rows[0])
