"""Whether a typed code proves its owner.

Verifying spends nothing yet: what a code proved comes with the changes that spend it, and goes into the commit that
acts on it. Of any number of callers with one code that commit has one winner.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from sekisho.errors import FactorLocked, FactorUnusable, InvalidCode, Refusal
from sekisho.master_secret import UnsealError
from sekisho.mfa.methods import MAX_FAILURES, Method, confirmed, in_force, not_available
from sekisho.mfa.recovery import RecoveryCodes, parse_recovery_code
from sekisho.mfa.totp import TotpKeys
from sekisho.model import Account, Factor, FactorKind, Millis
from sekisho.one_time_codes import OneTimeCodes, parse_code
from sekisho.ports.changes import Change, ConsumeCode, CountCodeTry
from sekisho.ports.factor_changes import CountFactorTry, SpendRecoveryCode, UseFactor
from sekisho.ports.storage import Store

UNREADABLE, LOCKED, SUSPENDED = "unreadable_secret", "factor_locked", "factor_suspended"


def parse_typed(method: Method, typed: str) -> str:
    """Return the code that a person typed for this method.

    Raises:
        ValidationError: `code: invalid_format`. Not counted as a try: it cannot be any code.
    """
    return parse_recovery_code(typed) if method is Method.RECOVERY_CODE else parse_code(typed)


class CodePlace(Struct, frozen=True):
    """Where a sent code is kept: under which id and for which purpose."""

    id: str
    purpose: str

    def of(self, method: Method) -> CodePlace:
        """Return where the codes of one method are kept. A mailed code typed as one by SMS would raise the level."""
        return self if method is Method.EMAIL else CodePlace(self.id, f"{self.purpose}_{method}")


class Shown(Struct, frozen=True):
    """A code was right. `spending` loses the commit it stands in if the code was spent meanwhile."""

    method: Method
    spending: tuple[Change, ...]


class NotShown(Struct, frozen=True):
    """reason: the audit's word: `wrong_code`, `code_gone`, `code_dead`, `no_such_method`, `factor_locked`,
    `factor_suspended` or `unreadable_secret`."""

    reason: str


class ProofTools(Struct, frozen=True, kw_only=True):
    store: Store
    totp: TotpKeys
    recovery: RecoveryCodes
    codes: OneTimeCodes
    max_code_tries: int


class Proofs:
    def __init__(self, tools: ProofTools) -> None:
        self._tools = tools

    async def verify(
        self, account: Account, factors: Sequence[Factor], method: Method, code: str, place: CodePlace, now: Millis
    ) -> Shown | NotShown:
        """Say what a code proves about the owner of these factors.

        Args:
            code: as `parse_typed` returned it.
        """
        if method is Method.RECOVERY_CODE:
            return self._recovery_code(account, factors, code, now)
        enrolled = [factor for factor in confirmed(factors) if factor.kind == FactorKind(method.value)]
        candidates = [factor for factor in in_force(factors) if factor in enrolled]
        if not candidates:
            return NotShown(SUSPENDED if enrolled else "no_such_method")
        counting = CountFactorTry(account_id=account.id, kind=candidates[0].kind, max_failures=MAX_FAILURES)
        counted = await self._tools.store.apply(counting)
        if counted.lost:
            return NotShown(LOCKED)
        candidates = [factor for factor in candidates if factor.id in counted.results[0]]
        if not candidates:
            return NotShown("no_such_method")
        if method is Method.TOTP:
            return self._totp(candidates, code, now)
        return await self._sent_code(candidates[0], method, code, place, now)

    def _totp(self, factors: Sequence[Factor], code: str, now: Millis) -> Shown | NotShown:
        why = "wrong_code"
        for factor in factors:
            try:
                step = self._tools.totp.matching_step(factor, code, now)
            except UnsealError:
                why = UNREADABLE
                continue
            if step is not None:
                return Shown(Method.TOTP, (_using(factor, step, now),))
        return NotShown(why)

    def _recovery_code(self, account: Account, factors: Sequence[Factor], code: str, now: Millis) -> Shown | NotShown:
        """Whether it is one is for the commit to say: finding out and spending are one statement."""
        if not confirmed(factors):
            return NotShown("no_such_method")
        code_hash = self._tools.recovery.hash(account.id, code)
        return Shown(Method.RECOVERY_CODE, (SpendRecoveryCode(account_id=account.id, code_hash=code_hash, now=now),))

    async def _sent_code(
        self, factor: Factor, method: Method, code: str, place: CodePlace, now: Millis
    ) -> Shown | NotShown:
        checked = await self.verify_sent(code, place.of(method), now)
        if isinstance(checked, NotShown):
            return checked
        return Shown(method, (checked, _using(factor, 0, now)))

    async def verify_address(self, code: str, place: CodePlace, now: Millis) -> Shown | NotShown:
        """Say what a mailed code proves about an owner who has no second factor: that the account's letters arrive."""
        checked = await self.verify_sent(code, place, now)
        return checked if isinstance(checked, NotShown) else Shown(Method.EMAIL, (checked,))

    async def verify_sent(self, code: str, place: CodePlace, now: Millis) -> ConsumeCode | NotShown:
        """Count the try, then compare; return what spends the code."""
        count = CountCodeTry(id=place.id, purpose=place.purpose, max_tries=self._tools.max_code_tries, now=now)
        outcome = await self._tools.store.apply(count)
        if outcome.lost:
            return NotShown(outcome.lost.why)
        code_hash = self._tools.codes.hash(place.purpose, place.id, code)
        if not self._tools.codes.same(bytes(outcome.results[0]), code_hash):
            return NotShown("wrong_code")
        return ConsumeCode(id=place.id, purpose=place.purpose, code_hash=code_hash, now=now)


def refusal_of(reason: str) -> Refusal:
    """Return what to raise for a code that was not right, by the audit's word."""
    match reason:
        case "no_such_method" | "factor_suspended":
            # Who may not show it is told no more than who has none.
            return not_available()
        case "unreadable_secret":
            return FactorUnusable(detail=reason)
        case "factor_locked":
            return FactorLocked(detail=reason)
    return InvalidCode(detail=reason)


def lost_reason(change: Change) -> str:
    """Return the audit's word for a commit that lost to this guarded change."""
    match change:
        case SpendRecoveryCode():
            return "wrong_code"
        case UseFactor() | ConsumeCode():
            return "code_used"
    return "changed_meanwhile"


def _using(factor: Factor, step: int, now: Millis) -> UseFactor:
    return UseFactor(factor_id=factor.id, account_id=factor.account_id, step=step, now=now, max_failures=MAX_FAILURES)
