"""Whoever changes second factors: a person in a live session, as of one moment, and what that person's changes share.

The flows about factors stand on it: the list, enrolment, recovery codes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from sekisho.audit import FAILURE, SUCCESS, Event, record
from sekisho.errors import InvalidCode, NotFound, Refusal, ServiceUnavailable, SessionRevoked, ValidationError
from sekisho.ids import could_be_ours
from sekisho.mfa.letters import CodeSender
from sekisho.mfa.phones import Phones
from sekisho.mfa.proofs import Proofs
from sekisho.mfa.recovery import RecoveryCodes
from sekisho.mfa.totp import TotpKeys
from sekisho.model import Account, AccountStatus, EndReason, Factor, FactorKind, Millis, Origin, Principal, Session
from sekisho.notices import Notices
from sekisho.outbox import MailKind
from sekisho.ports.changes import AppendAudit, Change
from sekisho.ports.clock import Clock
from sekisho.ports.factor_changes import SetRecoveryCodes
from sekisho.ports.storage import Lost, Store
from sekisho.sessions import Sessions
from sekisho.throttle import Throttle

NAME_LIMIT = 100


class FactorsWorld(Struct, frozen=True, kw_only=True):
    """fresh_ms: how old the proof of a session may be. allowed: the kinds that people may enrol."""

    store: Store
    clock: Clock
    totp: TotpKeys
    phones: Phones
    recovery: RecoveryCodes
    proofs: Proofs
    sender: CodeSender
    throttle: Throttle
    notices: Notices
    sessions: Sessions
    fresh_ms: int
    allowed: frozenset[FactorKind]


class Owner(Struct, frozen=True):
    """The caller, as of one moment."""

    session: Session
    account: Account
    factors: Sequence[Factor]
    now: Millis

    def audit(
        self, event: Event, origin: Origin, reason: str = "", *, subject: str = "", method: str = ""
    ) -> AppendAudit:
        return AppendAudit(
            record=record(
                event,
                FAILURE if reason else SUCCESS,
                at=self.now,
                origin=origin,
                account_id=self.account.id,
                session_id=self.session.id,
                client_id=self.session.client_id,
                reason=reason,
                subject=subject,
                method=method,
            )
        )

    def letter(self, kind: MailKind, origin: Origin, world: FactorsWorld, **values: str) -> tuple[Change, ...]:
        return world.notices.notice(kind, self.account, origin, self.now, **values)


async def owner_of(principal: Principal, world: FactorsWorld) -> Owner:
    """Return who calls.

    Raises:
        SessionRevoked: the session ended meanwhile.
    """
    now = world.clock.now()
    found = await world.store.find_session_and_account(principal.session_id)
    if found is None or found[0].ended_at is not None or found[1].status is not AccountStatus.ACTIVE:
        raise SessionRevoked(detail="ended during the call")
    session, account = found
    return Owner(session, account, await world.store.list_factors(account.id), now)


def codes_change(
    who: Owner, codes: tuple[str, ...], version: int, origin: Origin, world: FactorsWorld
) -> tuple[Change, ...]:
    """Return what puts these recovery codes in the place of the older ones, guarded by the account's version, and its
    audit line."""
    hashes = tuple(world.recovery.hash(who.account.id, code) for code in codes)
    return (
        SetRecoveryCodes(account_id=who.account.id, security_version=version, code_hashes=hashes),
        who.audit(Event.RECOVERY_CODES_MADE, origin),
    )


def ending_others(who: Owner, origin: Origin, world: FactorsWorld, is_wanted: bool) -> tuple[Change, ...]:
    """Return what ends the owner's other sessions. The last change of its call: how many ended is the last result."""
    if not is_wanted:
        return ()
    reason, mine = EndReason.FACTORS_CHANGED, who.session.id
    return (world.sessions.ending_all(who.account.id, reason, origin, who.now, except_id=mine),)


def told(factor: Factor, world: FactorsWorld) -> str:
    """Return what the owner knows a factor by: its name, and the masked number of a phone."""
    return " ".join(part for part in (factor.name, world.phones.masked(factor)) if part)


def check_name(text: str) -> str:
    """Return a factor's name as it is kept.

    Raises:
        ValidationError: too long, or with control characters.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if len(name) > NAME_LIMIT:
        raise ValidationError(details={"name": "too_long"}, detail="name")
    if any(unicodedata.category(mark) in ("Cc", "Cf", "Zl", "Zp") for mark in name):
        raise ValidationError(details={"name": "control_characters"}, detail="name")
    return name


def check_factor_id(factor_id: str) -> None:
    """Raise for what cannot be an id of ours, before a store is asked.

    Raises:
        NotFound: as for an id that nobody has.
    """
    if not could_be_ours(factor_id):
        raise NotFound(detail="no such factor")


def refusal_of_lost(lost: Lost) -> Refusal:
    """Return the refusal for a change of factors that came too late."""
    match lost.why:
        case "factor_gone":
            return NotFound(detail=lost.why)
        case "code_gone":
            return InvalidCode(detail=lost.why)
        case "too_many":
            return ValidationError(details={"kind": "too_many"}, detail="too many factors")
        case "not_live":
            return SessionRevoked(detail=lost.why)
    # Another call of this account was first. The session goes on, and to ask again is right.
    return ServiceUnavailable(detail=lost.why)
