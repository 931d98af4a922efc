"""Suspension: one mailbox is never worth both steps of a sign-in.

    the password is set anew by mail, or an operator gives the account another mailbox
                                   -> codes by mail prove nothing beside a factor that is no mailbox
    a second step with another one -> they count again

Which factors are in force says `methods.in_force`. What is decided here is for the commit of the password and of the
session: both are guarded by the account's `security_version`.

Spec: NIST SP 800-63B-4 section 4.2.2.2; OWASP ASVS 5.0 rows 6.4.3 and 6.4.4.
"""

from __future__ import annotations

from collections.abc import Iterable

from sekisho.audit import SUCCESS, Event, record
from sekisho.mfa.methods import confirmed, level_of, suspended
from sekisho.model import AAL2, Account, Factor, FactorKind, Millis, Origin
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.factor_changes import ReactivateFactor, SuspendFactor


def suspending(
    account: Account, factors: Iterable[Factor], origin: Origin, now: Millis, actor: str = "account"
) -> tuple[Change, ...]:
    """Return what a password that was set anew by mail, or a mailbox that an operator vouches for, does to codes by
    mail. The first changes of their call.

    Those that are suspended are suspended again: a second step that ends that leaves the version as it is, so it could
    come between the reading and the commit.
    """
    having = confirmed(factors)
    if level_of(having) != AAL2:
        return ()
    changes: list[Change] = []
    for factor in having:
        if factor.kind is FactorKind.EMAIL:
            changes += [
                SuspendFactor(factor_id=factor.id, account_id=account.id, now=now),
                _line(Event.FACTOR_SUSPENDED, factor, origin, now, actor=actor),
            ]
    return tuple(changes)


def reactivating(factors: Iterable[Factor], client_id: str, origin: Origin, now: Millis) -> tuple[Change, ...]:
    """Return what a second step that was passed does to suspended factors: it was passed by another."""
    changes: list[Change] = []
    for factor in suspended(factors):
        changes += [
            ReactivateFactor(factor_id=factor.id, account_id=factor.account_id),
            _line(Event.FACTOR_REACTIVATED, factor, origin, now, client_id),
        ]
    return tuple(changes)


def _line(
    event: Event, factor: Factor, origin: Origin, now: Millis, client_id: str = "", actor: str = "account"
) -> AppendAudit:
    return AppendAudit(
        record=record(
            event,
            SUCCESS,
            at=now,
            origin=origin,
            account_id=factor.account_id,
            client_id=client_id,
            subject=factor.id,
            actor=actor,
        )
    )
