"""The vocabulary of writes: frozen values that `Store.apply` commits together or not at all.

A change is *guarded* when its docstring says "Loses": finding nothing to change loses the whole
call, nothing of it is kept, and `Outcome.lost` names the change and why. Other changes never lose.
What a change returns stands in `Outcome.results`, in the order of the call.

`now` is always the caller's clock: engines have none.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.model import (
    Account,
    AccountId,
    AuditRecord,
    AuditSeal,
    Discreet,
    EndReason,
    GuardKey,
    KeyState,
    Millis,
    Origin,
    PendingSignUp,
    Session,
    SessionId,
    SigningKey,
)


class Change(Discreet, frozen=True, kw_only=True):
    """One write. Subclasses are the whole vocabulary."""


class AddAccount(Change, frozen=True, kw_only=True):
    """Insert an account. Loses (`email_taken`) if another account has its `email_key`."""

    account: Account


class ChangeProfile(Change, frozen=True, kw_only=True):
    """Set name and locale; None leaves one as it is. Loses (`account_gone`) unless the account is active.
    Returns the `Account`."""

    account_id: AccountId
    name: str | None = None
    locale: str | None = None


class ReplacePasswordHash(Change, frozen=True, kw_only=True):
    """Store a better hash of the same password: no new `security_version`. Loses (`hash_changed`)
    if the stored hash is no longer `old_hash`."""

    account_id: AccountId
    old_hash: str
    new_hash: str


class SetPassword(Change, frozen=True, kw_only=True):
    """Store a new password's hash (None: the account has no password any more) and raise `security_version`. Of the
    hashes from before, this one among them, the newest `keep_earlier` stay to be compared with. Loses
    (`security_version`) if the account is not active or its version is not the one given."""

    account_id: AccountId
    security_version: int
    password_hash: str | None
    keep_earlier: int = 0


class ForgetEarlierPasswords(Change, frozen=True, kw_only=True):
    """Delete the hashes from before of accounts that have a password now, at most `limit`. Returns how many."""

    limit: int


class ChangeEmail(Change, frozen=True, kw_only=True):
    """Give the account another address, verified, and raise `security_version`; forget the devices known by the old one
    (`old_identifier_tag`), and the recovery address if it is this one. Loses (`security_version`) if the account is not
    active or its version is not the one given, and (`email_taken`) if another account has the `email_key`. Returns the
    `Account`.

    Concurrency: of any number of accounts that take one address at once, and sign-ups of it, one gets it.
    """

    account_id: AccountId
    security_version: int
    email: str
    email_key: str
    old_identifier_tag: str


class SetAccountStatus(Change, frozen=True, kw_only=True):
    """Disable or enable, and raise `security_version`. Loses (`account_gone`) unless the account's
    status is `expected`. Sessions are ended by `EndSessions` in the same call."""

    account_id: AccountId
    expected: str
    status: str


class SetRoles(Change, frozen=True, kw_only=True):
    """Replace the roles. Loses (`account_gone`) if there is no such account or it is withdrawn."""

    account_id: AccountId
    roles: tuple[str, ...]


class EraseAccount(Change, frozen=True, kw_only=True):
    """Withdrawal: blank every personal field, free the address, raise `security_version`, forget the recovery address,
    known and trusted devices, factors, recovery codes, challenges and the code of the newest warning, and blank the
    personal fields of sessions (address, user agent, place, device) and of audit records of the account or the
    address (`identifier_tag` too).
    Pending sign-ups of the address become decoys without address and password, with `identifier_tag` as their
    `email_key`. The row stays as a pseudonym with status `withdrawn`.
    Loses (`security_version`) if the account is not active or its version is not the one given."""

    account_id: AccountId
    security_version: int
    identifier_tag: str


class StartSession(Change, frozen=True, kw_only=True):
    """Insert a session and keep at most `max_sessions` live ones for its account: the oldest by
    last use end (`evicted`), each with its audit record and journal entry, in the same commit. Those whose time is
    over do not count and end too (`expired`): a clock that is corrected backwards must not bring them back as
    one too many. Returns the tuple of session ids that were evicted.

    Loses (`security_version`) unless the account is active and at the version that the flow read.

    Concurrency: starts for one account behave as if run one after the other, so that racing
    sign-ins never leave more than `max_sessions` alive.
    """

    session: Session
    security_version: int
    max_sessions: int
    journal_until_at: Millis
    origin: Origin
    now: Millis


class RotateSession(Change, frozen=True, kw_only=True):
    """Spend one refresh token. Never loses; returns a `Rotation` of `ports.storage`, decided in the
    order ended -> secret -> client -> counter (DESIGN section 4). Changes the row only for `Rotated`; if the
    row was behind, with the audit record `store_behind`.
    `body` sessions need the whole `client_id`, the others only its app part. The idle end slides by
    `aal2_idle_ms` where the session's `acr` is `aal2`, else by `idle_ms`.

    Concurrency: of any number of callers with one live token exactly one gets `Rotated`.
    """

    session_id: SessionId
    secret_hash: bytes
    counter: int
    client_id: str
    now: Millis
    grace_ms: int
    idle_ms: int
    aal2_idle_ms: int
    ip: str
    user_agent: str = ""


class TouchSession(Change, frozen=True, kw_only=True):
    """Note the use of a live session and slide its idle end (never past the absolute end), as `RotateSession`."""

    session_id: SessionId
    now: Millis
    idle_ms: int
    aal2_idle_ms: int
    ip: str


class SaveSessionUse(Change, frozen=True, kw_only=True):
    """Write down what another engine has decided about a session: its newest counter, and when and from where it was
    used. Changes nothing unless the session has not ended and the row knows less: a lower counter, or the
    same one with an older use. The idle end never passes the absolute one. Returns 1 if the row changed, else 0.

    Concurrency: in whatever order several nodes save, the row ends up with the newest.
    """

    session_id: SessionId
    counter: int
    rotated_at: Millis
    last_seen_at: Millis
    idle_expires_at: Millis
    ip: str


class EndSession(Change, frozen=True, kw_only=True):
    """End one live session, with its audit record (`session_ended`) and its journal entry.
    Returns 1 if this call ended it, 0 if there was nothing to end.

    Loses (`not_live`) instead of returning 0 when `must_be_live`. With `account_id`, only a session
    of that account counts.
    """

    session_id: SessionId
    reason: EndReason
    now: Millis
    journal_until_at: Millis
    account_id: AccountId | None = None
    must_be_live: bool = False
    origin: Origin = Origin()
    actor: str = "account"


class EndSessions(Change, frozen=True, kw_only=True):
    """End all live sessions of an account but `except_id`, each with its audit record and journal
    entry. Returns how many ended.

    Concurrency: this and `StartSession` for one account behave as if run one after the other, from here to the
    end of the call: a session that starts meanwhile is among those that end, or starts after the commit
    and finds what else the call changed (a withdrawal, another password).
    """

    account_id: AccountId
    reason: EndReason
    now: Millis
    journal_until_at: Millis
    except_id: SessionId | None = None
    origin: Origin = Origin()
    actor: str = "account"


class EndExpiredSessions(Change, frozen=True, kw_only=True):
    """End up to `limit` sessions whose idle or absolute time is over, each with its audit record
    (reason `expired`) and journal entry: if the clock was ahead, their access tokens still live.
    Returns how many."""

    now: Millis
    journal_until_at: Millis
    limit: int


class OneTimeCode(Struct, frozen=True, kw_only=True):
    """A code to be typed. Only a keyed hash is kept; `purpose` keeps codes of one flow out of another."""

    id: str
    purpose: str
    code_hash: bytes
    expires_at: Millis


class AddPendingSignUp(Change, frozen=True, kw_only=True):
    """Insert a pending sign-up together with its one-time code (same id)."""

    pending: PendingSignUp
    code: OneTimeCode


class PutCode(Change, frozen=True, kw_only=True):
    """Store a one-time code. An older one under the same id dies, whether used or not, and its tries are forgotten.
    For ids of which there is one code at a time; what is put under a fresh random id replaces nothing."""

    code: OneTimeCode


class ReplaceCode(Change, frozen=True, kw_only=True):
    """A new code under the same id: the older one dies, its tries are forgotten, and it lives until
    `expires_at`, as does the pending sign-up of the same id, if there is one. Loses (`code_gone`)
    if the code is used, expired or unknown."""

    id: str
    purpose: str
    code_hash: bytes
    expires_at: Millis
    now: Millis


class CountCodeTry(Change, frozen=True, kw_only=True):
    """Count one try *before* the comparison and return the stored `code_hash` (bytes).

    Loses with `code_gone` if the code is used, expired or unknown, with `code_dead` if
    `max_tries` were made. Concurrency: never more than `max_tries` callers get the hash.
    """

    id: str
    purpose: str
    max_tries: int
    now: Millis


class ConsumeCode(Change, frozen=True, kw_only=True):
    """Spend a code. Loses (`code_gone`) unless it is unused, unexpired and still has `code_hash`.
    Concurrency: exactly one of any number of callers wins."""

    id: str
    purpose: str
    code_hash: bytes
    now: Millis


class SpoilSignUps(Change, frozen=True, kw_only=True):
    """Turn every other pending sign-up of the address into a decoy, so that they go on answering
    alike and none can finish. `code_hash` is a random value that no code matches."""

    email_key: str
    except_id: str
    code_hash: bytes


class CountTry(Change, frozen=True, kw_only=True):
    """Count one try against a bucket, before the work that it pays for.

    The first `limit` tries of a window (which starts with its first try) pass. After them, with
    `first_delay_ms` 0, nothing passes until the window is over; otherwise each further try must
    wait: `first_delay_ms` after the one that reached the limit, doubling with each, at most
    `max_delay_ms`. A window or a last try that lies further ahead than there can be is over: the
    clock was ahead and has been corrected. Loses (`throttled`, with `Lost.retry_at`) when the try does
    not pass; a lost try is not counted.

    `coarse` marks a bucket that guards no single account (a network's): an accelerator that may forget is allowed to
    count it. All others are counted in SQL only.
    """

    key: bytes
    limit: int
    window_ms: int
    now: Millis
    first_delay_ms: int = 0
    max_delay_ms: int = 0
    coarse: bool = False


class GiveBackTry(Change, frozen=True, kw_only=True):
    """Undo one `CountTry` of the current window, also the waiting time that it caused. `coarse` as it was counted."""

    key: bytes
    now: Millis
    coarse: bool = False


class ForgetTries(Change, frozen=True, kw_only=True):
    """Forget all tries of a bucket and the waiting time that they caused. Not for a `coarse` one."""

    key: bytes


class RememberDevice(Change, frozen=True, kw_only=True):
    """Note that this device signed in with this identifier (both keyed hashes)."""

    identifier_tag: str
    device_tag: str
    now: Millis


class AddSigningKey(Change, frozen=True, kw_only=True):
    """Insert a key. Loses (`key_exists`) if its kid is taken, or if it is `active` or `next` and there is
    one in that state already, so that two nodes that start at once agree on one key."""

    key: SigningKey


class SetKeyState(Change, frozen=True, kw_only=True):
    """Move a key from one state to another, or shorten the time of a retired one. Loses (`key_state`) unless it is in
    `expected`, and unless there is something to move or to shorten."""

    kid: str
    expected: KeyState
    state: KeyState
    now: Millis
    verify_until_at: Millis | None = None


class AddGuardKey(Change, frozen=True, kw_only=True):
    """Insert a guard's key. Loses (`name_taken`) if another one has its name."""

    key: GuardKey


class RemoveGuardKey(Change, frozen=True, kw_only=True):
    """Delete a guard's key. Loses (`guard_key_gone`) if there is none of this id."""

    id: str


class AppendJournal(Change, frozen=True, kw_only=True):
    """Journal a revocation that is no session's end (a `jti`, a client, a key)."""

    kind: str
    value: str
    expires_at: Millis
    reason: str


class AppendAudit(Change, frozen=True, kw_only=True):
    """Append one record; its `seq` is given by the store."""

    record: AuditRecord


class AddAuditSeal(Change, frozen=True, kw_only=True):
    """Close a batch of the audit trail. Loses (`seal_taken`) unless its number is the one after the highest.

    Concurrency: of nodes that seal at once one wins.
    """

    seal: AuditSeal


class BlankSealedAudit(Change, frozen=True, kw_only=True):
    """Blank what is personal in every record of a sealed batch, and note by `tag` that it was us. Loses
    (`no_seal`) if the batch is unknown or blanked already."""

    number: int
    tag: bytes


class PurgeSealedAudit(Change, frozen=True, kw_only=True):
    """Delete every record of a sealed batch and what the seal knows of each; the seal stays as a link of the chain,
    with `tag` to prove that it was us. Loses (`no_seal`) if the batch is unknown or purged already."""

    number: int
    tag: bytes


class QueueMail(Change, frozen=True, kw_only=True):
    """Put a sealed letter into the outbox. After `expires_at` it is not sent."""

    id: str
    sealed: bytes
    now: Millis
    expires_at: Millis | None = None


class ClaimMail(Change, frozen=True, kw_only=True):
    """Lease up to `limit` due letters until `lease_until_at` and return them as a tuple of
    `QueuedMail`. Concurrency: no letter is leased to two callers at a time; a lease that runs out
    (its worker died) makes the letter due again."""

    now: Millis
    lease_until_at: Millis
    limit: int


class MailSent(Change, frozen=True, kw_only=True):
    """The letter was handed over: forget it."""

    id: str


class MailFailed(Change, frozen=True, kw_only=True):
    """The try failed. Due again at `retry_at`, or given up (None): the sealed content is dropped
    and the row stays with `error` for the operator."""

    id: str
    error: str
    now: Millis
    retry_at: Millis | None


class SetMeta(Change, frozen=True, kw_only=True):
    """Write a named fact about this installation once. Returns the value that stands afterwards:
    the given one, or the older one if the name was taken."""

    name: str
    value: str


class SwapMeta(Change, frozen=True, kw_only=True):
    """Replace a named fact about this installation. Loses (`fact_moved`) unless it is still `was`; None: not there."""

    name: str
    was: str | None
    value: str


class RaiseEpoch(Change, frozen=True, kw_only=True):
    """After a backup was put back: whatever was ended or used since must not come back. End every session
    (audited and journaled, reason `restored`), spend every one-time code, recovery code and challenge and the time
    steps up to a minute ahead, drop the waiting mail (it was sent, or its codes are dead), and give the journal a new
    `generation`, so that its readers start over. Returns how many sessions ended.

    Only for a file that no server has open: listeners are not told.
    """

    generation: str
    now: Millis
    journal_until_at: Millis


class PurgeExpired(Change, frozen=True, kw_only=True):
    """Delete what nothing can use any more: codes, sign-ups, challenges and unfinished enrolments that expired,
    throttle buckets whose time is over, ended sessions that ended before `ended_before_at`, devices not seen
    since `devices_before_at`, journal entries that expired at `journal_before_at` or before. At most `limit`
    rows of each. Returns the number of rows deleted."""

    now: Millis
    ended_before_at: Millis
    devices_before_at: Millis
    journal_before_at: Millis
    limit: int
