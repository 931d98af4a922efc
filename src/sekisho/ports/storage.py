"""The store: reads, and one write.

SQL is the truth. An engine keeps these sentences; `tests/storage/contract.py` checks each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from sekisho.model import (
    Account,
    AccountId,
    AuditRecord,
    AuditSeal,
    Challenge,
    Factor,
    GuardKey,
    JournalEntry,
    JournalPage,
    Millis,
    PendingSignUp,
    QueuedMail,
    RecoveryEmail,
    Session,
    SessionId,
    SigningKey,
    Trace,
    TrustedDevice,
)
from sekisho.ports.changes import Change, OneTimeCode


class StoreUnavailable(Exception):
    """The store cannot answer now (full disk, lock held too long, closed). Nothing of the call was kept,
    or for a connection cut during commit: it may have been kept, and repeating the request is safe."""


class Lost(Struct, frozen=True):
    """The guarded change that found nothing to change. `why` is the word in its docstring."""

    change: Change
    why: str
    retry_at: Millis | None = None


class Outcome(Struct, frozen=True):
    """results: one per change, in order; empty when the call was lost."""

    results: tuple[Any, ...] = ()
    lost: Lost | None = None


class Rotated(Struct, frozen=True):
    """The presented token was the live one (or ahead of a store that forgot: `was_behind`).
    `session` is the row after the change, `account` its account; `seen_ip` and `seen_at` say from where and when it was
    used before."""

    session: Session
    account: Account
    was_behind: bool = False
    seen_ip: str = ""
    seen_at: Millis = 0


class Repeated(Struct, frozen=True):
    """The presented token was the direct predecessor, inside the grace window: nothing changed."""

    session: Session
    account: Account


class Replayed(Struct, frozen=True):
    """An old token: two parties hold it. The caller ends the session next."""

    session: Session
    account: Account
    detail: str


class WrongClient(Struct, frozen=True):
    """A good token presented under another client_id. The caller ends the session next."""

    session: Session
    account: Account
    detail: str


class Ended(Struct, frozen=True):
    """Ended, expired, unknown, account not active, not this row's secret, or the direct predecessor of a
    rotation that lies ahead of the clock by more than nodes differ. Nothing to change."""

    detail: str


Rotation = Rotated | Repeated | Replayed | WrongClient | Ended


class Committed(Struct, frozen=True):
    """What a commit of this process tells its listeners, before `apply` returns.

    journal: an engine that numbers entries after the commit gives them the number 0 here.
    """

    journal: tuple[JournalEntry, ...] = ()
    mail_queued: bool = False
    keys_changed: bool = False


class AuditFilter(Struct, frozen=True, kw_only=True):
    """All given conditions hold together. `before_seq` pages backwards; newest first."""

    account_id: str | None = None
    session_id: str | None = None
    event: str | None = None
    outcome: str | None = None
    since_at: Millis | None = None
    until_at: Millis | None = None
    before_seq: int | None = None
    limit: int = 100


class AccountReads(Protocol):
    async def find_account(self, account_id: AccountId) -> Account | None: ...

    async def find_account_by_email(self, email_key: str) -> Account | None: ...

    async def list_accounts(self, *, after_id: str = "", limit: int = 100) -> list[Account]:
        """In the order of ids (as the engine sorts texts), for operators."""

    async def list_earlier_passwords(self, account_id: AccountId, limit: int) -> list[str]:
        """The hashes that `SetPassword` has set aside, newest first."""

    async def find_recovery_email(self, account_id: AccountId) -> RecoveryEmail | None: ...

    async def is_known_device(self, identifier_tag: str, device_tag: str) -> bool: ...

    async def find_pending_sign_up(self, pending_id: str) -> PendingSignUp | None: ...

    async def find_one_time_code(self, code_id: str) -> OneTimeCode | None:
        """Also one that is spent or over, until it is purged."""

    async def list_pending_sign_ups(self, email_key: str) -> list[PendingSignUp]:
        """All that are neither used nor purged, newest first, at most 50."""


class FactorReads(Protocol):
    async def list_factors(self, account_id: AccountId) -> list[Factor]:
        """All, also those that are being enrolled, oldest first."""

    async def list_all_factors(self, *, after_id: str = "", limit: int = 100) -> list[Factor]:
        """Of all accounts, in the order of ids (as the engine sorts texts), for operators."""

    async def count_recovery_codes(self, account_id: AccountId) -> int:
        """How many are unused."""

    async def count_factor_adoption(self) -> dict[str, int]:
        """How many active accounts there are (`accounts`), have a confirmed factor (`with_factor`), and have one of
        each kind, by its word. May scan."""

    async def find_challenge(self, challenge_id: str) -> Challenge | None:
        """Also one that is spent or over, until it is purged."""


class TrustReads(Protocol):
    async def find_trusted_device(self, value_hash: bytes) -> TrustedDevice | None:
        """Also one whose time is over or that was trusted before a change of credentials."""

    async def list_trusted_devices(self, account_id: AccountId, now: Millis) -> list[TrustedDevice]:
        """Those that are trusted still, last used first."""


class SessionReads(Protocol):
    async def find_session(self, session_id: SessionId) -> Session | None:
        """Also ended and expired ones, until they are purged."""

    async def find_session_and_account(self, session_id: SessionId) -> tuple[Session, Account] | None:
        """As `find_session`, with the account that it belongs to, both as of one moment."""

    async def list_sessions(self, account_id: AccountId, now: Millis) -> list[Session]:
        """The live ones, last used first."""

    async def list_expired_sessions(self, now: Millis, limit: int) -> list[Session]:
        """Those that `EndExpiredSessions` with the same `now` and `limit` would end."""


class OperationReads(Protocol):
    async def read_journal(self, after_seq: int, limit: int = 1000) -> JournalPage:
        """Entries with a higher number, in commit order: a lower number that commits later is never skipped."""

    async def list_signing_keys(self) -> list[SigningKey]:
        """All, newest first."""

    async def list_guard_keys(self) -> list[GuardKey]:
        """All, by name."""

    async def find_guard_key(self, key_id: str) -> GuardKey | None: ...

    async def find_meta(self, name: str) -> str | None: ...

    async def list_waiting_mail(self, *, after_id: str = "", limit: int = 100) -> list[QueuedMail]:
        """Letters that are not given up, in the order of ids, for operators."""

    async def next_mail_at(self) -> Millis | None:
        """When the next letter is due (a lease counts as its end); None if the outbox is empty."""

    async def counts(self) -> dict[str, int]:
        """For metrics and `doctor`: `accounts`, `live_sessions`, `mail_waiting`, `mail_given_up`, `journal`.
        May scan; never on a request's path except `/metrics`."""


class AuditCount(Struct, frozen=True):
    """How many records there are of one kind."""

    event: str
    outcome: str
    reason: str
    method: str
    records: int


class AuditReads(Protocol):
    async def list_audit(self, wanted: AuditFilter) -> list[AuditRecord]: ...

    async def list_traces(self, account_id: AccountId, *, newest: int, sign_ins: int) -> list[Trace]:
        """The `newest` records of an account, newest first. Where no sign-in that succeeded is among so many, up to
        `sign_ins` of those before them stand behind: other lines hide none of the past."""

    async def count_audit(self, wanted: AuditFilter) -> list[AuditCount]:
        """Count the records that fit, by event, outcome, reason and method, in the order of these words.
        `before_seq` and `limit` mean nothing here. May scan."""

    async def read_audit_to_seal(self, after_seq: int, limit: int) -> list[AuditRecord]:
        """Records behind `after_seq` in the order of their numbers. None with a number lower than the last one
        given can appear later."""

    async def read_audit(self, after_seq: int, until_seq: int, limit: int) -> list[AuditRecord]:
        """Records with a number above `after_seq` and not above `until_seq`, in the order of their numbers."""

    async def last_audit_seal(self) -> AuditSeal | None: ...

    async def list_audit_seals(self, after_number: int, limit: int) -> list[AuditSeal]:
        """In the order of their numbers."""

    async def list_aged_audit_seals(self, sealed_before_at: Millis, *, to_purge: bool, limit: int) -> list[AuditSeal]:
        """Batches sealed before that are not yet purged (`to_purge`), or not yet blanked; oldest first."""


class Store(AccountReads, FactorReads, TrustReads, SessionReads, OperationReads, AuditReads, Protocol):
    async def apply(self, *changes: Change) -> Outcome:
        """Commit all changes, or none. Durable when it returns.

        A guarded change that finds nothing to change loses the whole call; `Outcome.lost` names it.
        Cancelling the caller does not undo: the call is then committed or not, never half.

        Raises:
            StoreUnavailable: see there. Never raised after a successful commit.

        Concurrency: calls that touch the same row behave as if run one after the other.
        """

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` on the event loop after each commit of this process that has something
        to tell, before the `apply` that made it returns."""

    def has_foreign_commits(self) -> bool:
        """Whether anybody (this process included) committed since the last call. Cheap enough
        for every 50 ms; the caller then reads journal and keys again."""

    async def close(self) -> None:
        """Finish what was submitted, then let go of the files."""
