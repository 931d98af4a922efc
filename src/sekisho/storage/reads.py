"""The reads of the port, written once: an engine brings the two ways to fetch rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from operator import attrgetter

from sekisho.model import (
    Account,
    AccountId,
    AuditRecord,
    AuditSeal,
    Challenge,
    Factor,
    GuardKey,
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
from sekisho.ports.changes import OneTimeCode
from sekisho.ports.storage import AuditCount, AuditFilter
from sekisho.storage import queries
from sekisho.storage.rows import (
    SESSION_WIDTH,
    account_from,
    audit_record_from,
    audit_seal_from,
    challenge_from,
    factor_from,
    guard_key_from,
    journal_entry_from,
    one_time_code_from,
    pending_sign_up_from,
    queued_mail_from,
    recovery_email_from,
    session_from,
    signing_key_from,
    trace_from,
    trusted_device_from,
)
from sekisho.storage.steps import Row, Value

GENERATION = "journal_generation"
_NUMBER = attrgetter("seq")


class SqlReads(ABC):
    """`ports.storage`'s reads over SQL."""

    @abstractmethod
    async def _fetch(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        """Rows of a statement that an index answers: for a request's own path."""

    @abstractmethod
    async def _scan(self, sql: str, values: Mapping[str, Value]) -> Sequence[Row]:
        """Rows of a statement that may take long: must not hold up requests."""

    async def find_account(self, account_id: AccountId) -> Account | None:
        rows = await self._fetch(queries.FIND_ACCOUNT, {"id": account_id})
        return account_from(rows[0]) if rows else None

    async def find_account_by_email(self, email_key: str) -> Account | None:
        rows = await self._fetch(queries.FIND_ACCOUNT_BY_EMAIL, {"email_key": email_key})
        return account_from(rows[0]) if rows else None

    async def list_accounts(self, *, after_id: str = "", limit: int = 100) -> list[Account]:
        rows = await self._scan(queries.LIST_ACCOUNTS, {"after_id": after_id, "limit": limit})
        return [account_from(row) for row in rows]

    async def find_recovery_email(self, account_id: AccountId) -> RecoveryEmail | None:
        rows = await self._fetch(queries.FIND_RECOVERY_EMAIL, {"account_id": account_id})
        return recovery_email_from(rows[0]) if rows else None

    async def is_known_device(self, identifier_tag: str, device_tag: str) -> bool:
        values = {"identifier_tag": identifier_tag, "device_tag": device_tag}
        return bool(await self._fetch(queries.IS_KNOWN_DEVICE, values))

    async def find_pending_sign_up(self, pending_id: str) -> PendingSignUp | None:
        rows = await self._fetch(queries.FIND_PENDING_SIGN_UP, {"id": pending_id})
        return pending_sign_up_from(rows[0]) if rows else None

    async def find_one_time_code(self, code_id: str) -> OneTimeCode | None:
        rows = await self._fetch(queries.FIND_ONE_TIME_CODE, {"id": code_id})
        return one_time_code_from(rows[0]) if rows else None

    async def list_pending_sign_ups(self, email_key: str) -> list[PendingSignUp]:
        rows = await self._fetch(queries.LIST_PENDING_SIGN_UPS, {"email_key": email_key})
        return [pending_sign_up_from(row) for row in rows]

    async def find_session(self, session_id: SessionId) -> Session | None:
        rows = await self._fetch(queries.FIND_SESSION, {"id": session_id})
        return session_from(rows[0]) if rows else None

    async def find_session_and_account(self, session_id: SessionId) -> tuple[Session, Account] | None:
        rows = await self._fetch(queries.FIND_SESSION_AND_ACCOUNT, {"id": session_id})
        return (session_from(rows[0]), account_from(rows[0], SESSION_WIDTH)) if rows else None

    async def list_sessions(self, account_id: AccountId, now: Millis) -> list[Session]:
        rows = await self._fetch(queries.LIST_SESSIONS, {"account_id": account_id, "now": now})
        return [session_from(row) for row in rows]

    async def list_expired_sessions(self, now: Millis, limit: int) -> list[Session]:
        rows = await self._fetch(queries.LIST_EXPIRED_SESSIONS, {"now": now, "limit": limit})
        return [session_from(row) for row in rows]

    async def list_earlier_passwords(self, account_id: AccountId, limit: int) -> list[str]:
        rows = await self._fetch(queries.LIST_EARLIER_PASSWORDS, {"account_id": account_id, "limit": limit})
        return [str(row[0]) for row in rows]

    async def list_factors(self, account_id: AccountId) -> list[Factor]:
        return [factor_from(row) for row in await self._fetch(queries.LIST_FACTORS, {"account_id": account_id})]

    async def list_all_factors(self, *, after_id: str = "", limit: int = 100) -> list[Factor]:
        rows = await self._scan(queries.LIST_ALL_FACTORS, {"after_id": after_id, "limit": limit})
        return [factor_from(row) for row in rows]

    async def count_recovery_codes(self, account_id: AccountId) -> int:
        unused: int = (await self._fetch(queries.COUNT_RECOVERY_CODES, {"account_id": account_id}))[0][0]
        return unused

    async def count_factor_adoption(self) -> dict[str, int]:
        return {str(word): int(count) for word, count in await self._scan(queries.COUNT_FACTOR_ADOPTION, {})}

    async def find_challenge(self, challenge_id: str) -> Challenge | None:
        rows = await self._fetch(queries.FIND_CHALLENGE, {"id": challenge_id})
        return challenge_from(rows[0]) if rows else None

    async def find_trusted_device(self, value_hash: bytes) -> TrustedDevice | None:
        rows = await self._fetch(queries.FIND_TRUSTED_DEVICE, {"value_hash": value_hash})
        return trusted_device_from(rows[0]) if rows else None

    async def list_trusted_devices(self, account_id: AccountId, now: Millis) -> list[TrustedDevice]:
        rows = await self._fetch(queries.LIST_TRUSTED_DEVICES, {"account_id": account_id, "now": now})
        return [trusted_device_from(row) for row in rows]

    async def read_journal(self, after_seq: int, limit: int = 1000) -> JournalPage:
        """`last_seq` is where the next read goes on: the number of the last entry given, else `after_seq`."""
        generation = await self.find_meta(GENERATION)
        rows = await self._fetch(queries.READ_JOURNAL, {"after_seq": after_seq, "limit": limit})
        entries = tuple(journal_entry_from(row) for row in rows)
        return JournalPage(generation or "", entries, entries[-1].seq if entries else after_seq)

    async def list_signing_keys(self) -> list[SigningKey]:
        return [signing_key_from(row) for row in await self._fetch(queries.LIST_SIGNING_KEYS, {})]

    async def list_guard_keys(self) -> list[GuardKey]:
        return [guard_key_from(row) for row in await self._fetch(queries.LIST_GUARD_KEYS, {})]

    async def find_guard_key(self, key_id: str) -> GuardKey | None:
        rows = await self._fetch(queries.FIND_GUARD_KEY, {"id": key_id})
        return guard_key_from(rows[0]) if rows else None

    async def list_audit(self, wanted: AuditFilter) -> list[AuditRecord]:
        return [audit_record_from(row) for row in await self._scan(*queries.list_audit(wanted))]

    async def list_traces(self, account_id: AccountId, *, newest: int, sign_ins: int) -> list[Trace]:
        values: dict[str, Value] = {"account_id": account_id, "newest": newest, "sign_ins": sign_ins}
        traces = [trace_from(row) for row in await self._scan(queries.LIST_TRACES, values)]
        # The two halves of the statement come one after the other; to have SQL say so would sort them all again.
        traces.sort(key=_NUMBER, reverse=True)
        return traces

    async def count_audit(self, wanted: AuditFilter) -> list[AuditCount]:
        return [AuditCount(*row) for row in await self._scan(*queries.count_audit(wanted))]

    async def read_audit_to_seal(self, after_seq: int, limit: int) -> list[AuditRecord]:
        """As it stands: for an engine in which one transaction writes at a time."""
        rows = await self._scan(queries.READ_AUDIT_TO_SEAL, {"after_seq": after_seq, "limit": limit})
        return [audit_record_from(row) for row in rows]

    async def read_audit(self, after_seq: int, until_seq: int, limit: int) -> list[AuditRecord]:
        values = {"after_seq": after_seq, "until_seq": until_seq, "limit": limit}
        return [audit_record_from(row) for row in await self._scan(queries.READ_AUDIT, values)]

    async def last_audit_seal(self) -> AuditSeal | None:
        rows = await self._scan(queries.LAST_AUDIT_SEAL, {})
        return audit_seal_from(rows[0]) if rows else None

    async def list_audit_seals(self, after_number: int, limit: int) -> list[AuditSeal]:
        rows = await self._scan(queries.LIST_AUDIT_SEALS, {"after_number": after_number, "limit": limit})
        return [audit_seal_from(row) for row in rows]

    async def list_aged_audit_seals(self, sealed_before_at: Millis, *, to_purge: bool, limit: int) -> list[AuditSeal]:
        sql = queries.LIST_SEALS_TO_PURGE if to_purge else queries.LIST_SEALS_TO_BLANK
        rows = await self._scan(sql, {"sealed_before_at": sealed_before_at, "limit": limit})
        return [audit_seal_from(row) for row in rows]

    async def find_meta(self, name: str) -> str | None:
        rows = await self._fetch(queries.FIND_META, {"name": name})
        return rows[0][0] if rows else None

    async def list_waiting_mail(self, *, after_id: str = "", limit: int = 100) -> list[QueuedMail]:
        rows = await self._scan(queries.LIST_WAITING_MAIL, {"after_id": after_id, "limit": limit})
        return [queued_mail_from(row) for row in rows]

    async def next_mail_at(self) -> Millis | None:
        due_at: Millis | None = (await self._fetch(queries.NEXT_MAIL_AT, {}))[0][0]
        return due_at

    async def counts(self) -> dict[str, int]:
        rows = await self._scan(queries.COUNTS, {})
        return dict(zip(queries.COUNTED, rows[0], strict=True))
