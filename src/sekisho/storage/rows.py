"""Rows to nouns. Each list of columns stands beside the function that reads it, in the same order."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from sekisho.model import (
    Account,
    AccountId,
    AccountStatus,
    AuditRecord,
    AuditSeal,
    Challenge,
    Device,
    Factor,
    FactorKind,
    GuardKey,
    JournalEntry,
    KeyState,
    PendingSignUp,
    QueuedMail,
    RecoveryEmail,
    Session,
    SessionId,
    SigningKey,
    Trace,
    Transport,
    TrustedDevice,
)
from sekisho.ports.changes import OneTimeCode
from sekisho.storage.steps import Row

# A look-up in a dict costs a fifth of calling the enum.
_TRANSPORTS = {member.value: member for member in Transport}
_STATUSES = {member.value: member for member in AccountStatus}

_words = msgspec.json.Decoder(tuple[str, ...])


@lru_cache(maxsize=1024)
def words_from_text(text: str) -> tuple[str, ...]:
    """Read roles or `amr`. There are few different ones, so most are never parsed twice."""
    return _words.decode(text)


@lru_cache(maxsize=1024)
def text_from_words(words: tuple[str, ...]) -> str:
    """Write roles or `amr` as JSON text."""
    return msgspec.json.encode(words).decode()


def columns(names: str, table: str = "") -> str:
    """Return a select list, each name with its table in front if one is given."""
    prefix = f"{table}." if table else ""
    return ", ".join(prefix + name for name in names.split())


ACCOUNT = "id email email_key is_verified name locale roles status password_hash security_version created_at"


def account_from(row: Row, at: int = 0) -> Account:
    """Read the columns of `ACCOUNT`, which begin at `at`."""
    return Account(
        id=AccountId(row[at]),
        email=row[at + 1],
        email_key=row[at + 2],
        is_verified=bool(row[at + 3]),
        name=row[at + 4],
        locale=row[at + 5],
        roles=words_from_text(row[at + 6]),
        status=_STATUSES[row[at + 7]],
        password_hash=row[at + 8],
        security_version=row[at + 9],
        created_at=row[at + 10],
    )


RECOVERY_EMAIL = "account_id email email_key verified_at"


def recovery_email_from(row: Row) -> RecoveryEmail:
    """Read the columns of `RECOVERY_EMAIL`."""
    return RecoveryEmail(account_id=AccountId(row[0]), email=row[1], email_key=row[2], verified_at=row[3])


SESSION = (
    "id account_id client_id transport secret_hash counter auth_time_at amr acr device_name device_os device_browser "
    "device_type user_agent ip place created_at last_seen_at rotated_at idle_expires_at expires_at ended_at end_reason"
)
SESSION_WIDTH = len(SESSION.split())


def session_from(row: Row) -> Session:
    """Read the columns of `SESSION`."""
    return Session(
        id=SessionId(row[0]),
        account_id=AccountId(row[1]),
        client_id=row[2],
        transport=_TRANSPORTS[row[3]],
        secret_hash=row[4],
        counter=row[5],
        auth_time_at=row[6],
        amr=words_from_text(row[7]),
        acr=row[8],
        device=Device(row[9], row[10], row[11], row[12]),
        user_agent=row[13],
        ip=row[14],
        place=row[15],
        created_at=row[16],
        last_seen_at=row[17],
        rotated_at=row[18],
        idle_expires_at=row[19],
        expires_at=row[20],
        ended_at=row[21],
        end_reason=row[22],
    )


PENDING_SIGN_UP = "id email email_key client_id locale password_hash is_decoy created_at expires_at"


def pending_sign_up_from(row: Row) -> PendingSignUp:
    """Read the columns of `PENDING_SIGN_UP`."""
    return PendingSignUp(
        id=row[0],
        email=row[1],
        email_key=row[2],
        client_id=row[3],
        locale=row[4],
        password_hash=row[5],
        is_decoy=bool(row[6]),
        created_at=row[7],
        expires_at=row[8],
    )


ONE_TIME_CODE = "id purpose code_hash expires_at"


def one_time_code_from(row: Row) -> OneTimeCode:
    """Read the columns of `ONE_TIME_CODE`."""
    return OneTimeCode(id=row[0], purpose=row[1], code_hash=bytes(row[2]), expires_at=row[3])


FACTOR = (
    "id account_id kind name sealed last_step created_at confirmed_at last_used_at expires_at failures suspended_at"
)


def factor_from(row: Row) -> Factor:
    """Read the columns of `FACTOR`."""
    return Factor(
        id=row[0],
        account_id=AccountId(row[1]),
        kind=FactorKind(row[2]),
        name=row[3],
        sealed=row[4],
        last_step=row[5],
        created_at=row[6],
        confirmed_at=row[7],
        last_used_at=row[8],
        expires_at=row[9],
        failures=row[10],
        suspended_at=row[11],
    )


TRUSTED_DEVICE = "id account_id app value_hash security_version device_name created_at last_used_at expires_at"


def trusted_device_from(row: Row) -> TrustedDevice:
    """Read the columns of `TRUSTED_DEVICE`."""
    return TrustedDevice(**dict(zip(TRUSTED_DEVICE.split(), row, strict=True)))


CHALLENGE = "id account_id client_id transport security_version created_at expires_at used_at"


def challenge_from(row: Row) -> Challenge:
    """Read the columns of `CHALLENGE`."""
    return Challenge(
        id=row[0],
        account_id=AccountId(row[1]),
        client_id=row[2],
        transport=_TRANSPORTS[row[3]],
        security_version=row[4],
        created_at=row[5],
        expires_at=row[6],
        used_at=row[7],
    )


SIGNING_KEY = "kid alg state sealed_private public_jwk created_at activated_at verify_until_at"


def signing_key_from(row: Row) -> SigningKey:
    """Read the columns of `SIGNING_KEY`."""
    return SigningKey(
        kid=row[0],
        alg=row[1],
        state=KeyState(row[2]),
        sealed_private=row[3],
        public_jwk=row[4],
        created_at=row[5],
        activated_at=row[6],
        verify_until_at=row[7],
    )


GUARD_KEY = "id name secret_hash created_at"


def guard_key_from(row: Row) -> GuardKey:
    """Read the columns of `GUARD_KEY`."""
    return GuardKey(id=row[0], name=row[1], secret_hash=row[2], created_at=row[3])


JOURNAL = "seq kind value expires_at reason"


def journal_entry_from(row: Row) -> JournalEntry:
    """Read the columns of `JOURNAL`."""
    return JournalEntry(seq=row[0], kind=row[1], value=row[2], expires_at=row[3], reason=row[4])


AUDIT = (
    "event outcome at account_id session_id client_id method reason actor identifier_tag subject ip user_agent place "
    "device seq"
)


def audit_record_from(row: Row) -> AuditRecord:
    """Read the columns of `AUDIT`. Written out: fifty of them are read at a login, and names put together at run time
    took twice as long."""
    event, outcome, at, account, session, client, method, reason, actor, tag, subject, ip, agent, place, device, seq = (
        row
    )
    return AuditRecord(
        event=event,
        outcome=outcome,
        at=at,
        account_id=account,
        session_id=session,
        client_id=client,
        method=method,
        reason=reason,
        actor=actor,
        identifier_tag=tag,
        subject=subject,
        ip=ip,
        user_agent=agent,
        place=place,
        device=device,
        seq=seq,
    )


TRACE = "event outcome at session_id reason ip device user_agent seq"


def trace_from(row: Row) -> Trace:
    """Read the columns of `TRACE`."""
    return Trace(*row)


AUDIT_SEAL = "number first_seq last_seq records lines lines_digest digest sealed_at blank_tag purge_tag"


def audit_seal_from(row: Row) -> AuditSeal:
    """Read the columns of `AUDIT_SEAL`."""
    return AuditSeal(**dict(zip(AUDIT_SEAL.split(), row, strict=True)))


QUEUED_MAIL = "id sealed attempts created_at expires_at"


def queued_mail_from(row: Row) -> QueuedMail:
    """Read the columns of `QUEUED_MAIL`."""
    return QueuedMail(id=row[0], sealed=row[1], attempts=row[2], created_at=row[3], expires_at=row[4])
