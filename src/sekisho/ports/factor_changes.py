"""Writes of the second step: authenticators beside the password, recovery codes, challenges. See `ports.changes`.

Whatever changes with what an account can be entered is guarded by its `security_version` and raises it: a sign-in
that was decided on before starts nothing.
"""

from __future__ import annotations

from sekisho.model import AccountId, Challenge, Factor, FactorKind, Millis, SessionId
from sekisho.ports.changes import Change

NEVER: Millis = 2**62


class AddFactor(Change, frozen=True, kw_only=True):
    """Insert a factor that is being enrolled; an older unfinished one of the same kind goes. Loses (`security_version`)
    if the account is not active or its version is not the one given, (`too_many`) if it has `max_factors`."""

    factor: Factor
    security_version: int
    max_factors: int


class ConfirmFactor(Change, frozen=True, kw_only=True):
    """Finish an enrolment: from now on the factor is asked for. `step` is the time step that confirmed it, 0 if there
    is none. Raises `security_version`.

    Loses (`security_version`) as `AddFactor`; (`factor_gone`) unless the factor is the account's, unfinished and
    in time.
    Concurrency: of any number of callers one wins.
    """

    factor_id: str
    account_id: AccountId
    security_version: int
    step: int
    now: Millis


class UseFactor(Change, frozen=True, kw_only=True):
    """Note that a factor proved its owner. With a `step` above 0 that step and all before it are spent. Forgives the
    tries counted at it, and at those of its kind that have fewer than `max_failures`.

    Loses (`step_used`) unless the factor is the account's, confirmed, and `step` is 0 or newer than the last used.
    Concurrency: of any number of callers with one step exactly one wins, over all nodes.
    """

    factor_id: str
    account_id: AccountId
    step: int
    now: Millis
    max_failures: int


class CountFactorTry(Change, frozen=True, kw_only=True):
    """Count one try at every confirmed factor of this kind, *before* the comparison. Returns the ids of those at which
    it may be made: those that had fewer than `max_failures` in a row. Loses (`factor_locked`) if there is none.
    Concurrency: never more than `max_failures` callers in a row pass at one factor, over all nodes."""

    account_id: AccountId
    kind: FactorKind
    max_failures: int


class RenameFactor(Change, frozen=True, kw_only=True):
    """Loses (`factor_gone`) unless the factor is the account's and confirmed. Returns the `Factor`."""

    factor_id: str
    account_id: AccountId
    name: str


class SuspendFactor(Change, frozen=True, kw_only=True):
    """Let a factor prove nothing beside another, from `now` on or since it was suspended before. It stands in one call
    with a change that is guarded by the account's version. Loses (`factor_gone`) unless the factor is the account's and
    confirmed.

    Comes before the changes that lock the account, as `UseFactor` does, so that the two never wait for each other.
    """

    factor_id: str
    account_id: AccountId
    now: Millis


class ReactivateFactor(Change, frozen=True, kw_only=True):
    """Let a suspended factor count again; one that counts goes on. Stands and loses as `SuspendFactor`."""

    factor_id: str
    account_id: AccountId


class RemoveFactor(Change, frozen=True, kw_only=True):
    """Forget a confirmed factor and raise `security_version`; with the last one the recovery codes go.
    Returns how many confirmed factors are left.

    Loses (`security_version`) as `AddFactor`; (`factor_gone`) unless the factor is the account's and confirmed.
    """

    factor_id: str
    account_id: AccountId
    security_version: int


class RemoveFactors(Change, frozen=True, kw_only=True):
    """Forget every factor, recovery code and trusted device of an account that is not withdrawn, and raise
    `security_version`. Loses (`account_gone`) if there is no such account. Returns how many confirmed factors went."""

    account_id: AccountId


class SetRecoveryCodes(Change, frozen=True, kw_only=True):
    """Put these in the place of all older recovery codes. Loses (`security_version`) as `AddFactor`."""

    account_id: AccountId
    security_version: int
    code_hashes: tuple[bytes, ...]


class SpendRecoveryCode(Change, frozen=True, kw_only=True):
    """Loses (`code_gone`) unless the account has this code, unused. Returns how many unused ones are left.
    Concurrency: exactly one of any number of callers wins."""

    account_id: AccountId
    code_hash: bytes
    now: Millis


class OpenChallenge(Change, frozen=True, kw_only=True):
    """Insert a challenge. Loses (`security_version`) unless the account is active and at the challenge's version."""

    challenge: Challenge


class CountChallengeTry(Change, frozen=True, kw_only=True):
    """Count one try *before* the comparison and return how many were made, this one too. Loses with `challenge_gone` if
    the challenge is spent, over or unknown, with `challenge_dead` if `max_tries` were made.
    Concurrency: never more than `max_tries` callers pass."""

    challenge_id: str
    max_tries: int
    now: Millis


class SpendChallenge(Change, frozen=True, kw_only=True):
    """Loses (`challenge_gone`) unless the challenge is unspent and in time. Concurrency: exactly one of any number of
    callers wins."""

    challenge_id: str
    now: Millis


class RenewProof(Change, frozen=True, kw_only=True):
    """Write down a newer proof on a live session (step-up). Its ends move nearer where they lie behind `idle_by_at` and
    `expires_by_at`, and never away. Returns the `Session`.

    Loses (`security_version`) as `AddFactor`, (`not_live`) unless the session is the account's and lives.
    """

    session_id: SessionId
    account_id: AccountId
    security_version: int
    amr: tuple[str, ...]
    acr: str
    now: Millis
    idle_by_at: Millis = NEVER
    expires_by_at: Millis = NEVER
