"""The tables, for both SQL engines. Migrations make them; a test holds the migrations to this.

Times are 64-bit milliseconds, yes and no are 1 and 0, JSON is text that SQL never looks into. The hot
statement (rotation) changes no indexed column, so that it writes one page on SQLite and stays
heap-only on PostgreSQL.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text

metadata = MetaData()


def whole_number() -> Any:
    """64 bits on both engines: strict SQLite tables know this type by the name INTEGER only."""
    return BigInteger().with_variant(Integer(), "sqlite")


def _number(name: str, *, default: int | None = None) -> Column[Any]:
    return Column(name, whole_number(), nullable=False, server_default=None if default is None else text(str(default)))


def _maybe_number(name: str) -> Column[Any]:
    return Column(name, whole_number())


def _words(name: str) -> Column[Any]:
    return Column(name, Text, nullable=False)


def _never_reused(name: str) -> Column[Any]:
    return Column(name, whole_number(), primary_key=True, autoincrement=True)


accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    _words("email"),
    Column("email_key", Text),
    _number("is_verified"),
    _words("name"),
    _words("locale"),
    _words("roles"),
    _words("status"),
    Column("password_hash", Text),
    _number("security_version"),
    _number("created_at"),
    Index("accounts_email_key", "email_key", unique=True),
    sqlite_strict=True,
)

# sweep_at: the earliest time at which the session can be idle too long. Only the sweep moves it on,
# so that a rotation, which moves idle_expires_at, touches no index.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _words("client_id"),
    _words("transport"),
    Column("secret_hash", LargeBinary, nullable=False),
    _number("counter"),
    _number("auth_time_at"),
    _words("amr"),
    _words("acr"),
    _words("device_name"),
    _words("device_os"),
    _words("device_browser"),
    _words("device_type"),
    _words("user_agent"),
    _words("ip"),
    _words("place"),
    _number("created_at"),
    _number("last_seen_at"),
    _number("rotated_at"),
    _number("idle_expires_at"),
    _number("expires_at"),
    _number("sweep_at"),
    _maybe_number("ended_at"),
    Column("end_reason", Text),
    Index("sessions_account", "account_id", "ended_at"),
    Index(
        "sessions_sweep",
        "sweep_at",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "sessions_ended",
        "ended_at",
        sqlite_where=text("ended_at IS NOT NULL"),
        postgresql_where=text("ended_at IS NOT NULL"),
    ),
    sqlite_strict=True,
)

pending_sign_ups = Table(
    "pending_sign_ups",
    metadata,
    Column("id", Text, primary_key=True),
    _words("email"),
    _words("email_key"),
    _words("client_id"),
    _words("locale"),
    _words("password_hash"),
    _number("is_decoy"),
    _number("created_at"),
    _number("expires_at"),
    Index("pending_sign_ups_email_key", "email_key", "created_at"),
    Index("pending_sign_ups_expires", "expires_at"),
    sqlite_strict=True,
)

one_time_codes = Table(
    "one_time_codes",
    metadata,
    Column("id", Text, primary_key=True),
    _words("purpose"),
    Column("code_hash", LargeBinary, nullable=False),
    _number("tries", default=0),
    _number("expires_at"),
    _maybe_number("used_at"),
    Index("one_time_codes_expires", "expires_at"),
    sqlite_strict=True,
)

throttle = Table(
    "throttle",
    metadata,
    Column("bucket", LargeBinary, primary_key=True),
    _number("tries"),
    _number("last_at"),
    _number("prior_at"),
    _number("window_ends_at"),
    Index("throttle_window", "window_ends_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

known_devices = Table(
    "known_devices",
    metadata,
    Column("identifier_tag", Text, primary_key=True),
    Column("device_tag", Text, primary_key=True),
    _number("seen_at"),
    Index("known_devices_seen", "seen_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

factors = Table(
    "factors",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _words("kind"),
    _words("name"),
    Column("sealed", LargeBinary, nullable=False),
    _number("last_step"),
    _number("created_at"),
    _maybe_number("confirmed_at"),
    _maybe_number("last_used_at"),
    _maybe_number("expires_at"),
    _number("failures", default=0),
    _maybe_number("suspended_at"),
    Index("factors_account", "account_id", "created_at"),
    Index(
        "factors_expires",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
    sqlite_strict=True,
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("code_hash", LargeBinary, primary_key=True),
    _maybe_number("used_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

challenges = Table(
    "challenges",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _words("client_id"),
    _words("transport"),
    _number("security_version"),
    _number("tries", default=0),
    _number("created_at"),
    _number("expires_at"),
    _maybe_number("used_at"),
    Index("challenges_account", "account_id"),
    Index("challenges_expires", "expires_at"),
    sqlite_strict=True,
)

# security_version: the account's when this password was the present one.
earlier_passwords = Table(
    "earlier_passwords",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("security_version", whole_number(), primary_key=True, autoincrement=False),
    _words("password_hash"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Without an index on the address: nobody is found by it, and several accounts may share one.
recovery_emails = Table(
    "recovery_emails",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    _words("email"),
    _words("email_key"),
    _number("verified_at"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

trusted_devices = Table(
    "trusted_devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    _words("app"),
    Column("value_hash", LargeBinary, nullable=False),
    _number("security_version"),
    _words("device_name"),
    _number("created_at"),
    _number("last_used_at"),
    _number("expires_at"),
    Index("trusted_devices_value", "value_hash", unique=True),
    Index("trusted_devices_account", "account_id", "created_at"),
    Index("trusted_devices_expires", "expires_at"),
    sqlite_strict=True,
)

# The unique index is what lets two nodes that start at once agree on one key.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    _words("alg"),
    _words("state"),
    Column("sealed_private", LargeBinary, nullable=False),
    _words("public_jwk"),
    _number("created_at"),
    _maybe_number("activated_at"),
    _maybe_number("verify_until_at"),
    Index(
        "signing_keys_one_in_state",
        "state",
        unique=True,
        sqlite_where=text("state IN ('active', 'next')"),
        postgresql_where=text("state IN ('active', 'next')"),
    ),
    sqlite_strict=True,
)

guard_keys = Table(
    "guard_keys",
    metadata,
    Column("id", Text, primary_key=True),
    _words("name"),
    Column("secret_hash", LargeBinary, nullable=False),
    _number("created_at"),
    Index("guard_keys_name", "name", unique=True),
    sqlite_strict=True,
)

journal = Table(
    "journal",
    metadata,
    _never_reused("seq"),
    _words("kind"),
    _words("value"),
    _number("expires_at"),
    _words("reason"),
    Index("journal_expires", "expires_at"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

# Entries that have no number yet, where several transactions write at once: numbered when they are published.
journal_waiting = Table(
    "journal_waiting",
    metadata,
    _never_reused("id"),
    _words("kind"),
    _words("value"),
    _number("expires_at"),
    _words("reason"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    _never_reused("seq"),
    _words("event"),
    _words("outcome"),
    _number("at"),
    _words("account_id"),
    _words("session_id"),
    _words("client_id"),
    _words("method"),
    _words("reason"),
    _words("actor"),
    _words("identifier_tag"),
    _words("subject"),
    _words("ip"),
    _words("user_agent"),
    _words("place"),
    _words("device"),
    Index("audit_account", "account_id", "seq"),
    Index("audit_session", "session_id", "seq"),
    # A withdrawal blanks what was written about its address before there was an account.
    Index("audit_identifier", "identifier_tag"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)

# The two partial indexes hold what upkeep has still to do, so that it never scans what is done.
audit_seals = Table(
    "audit_seals",
    metadata,
    Column("number", whole_number(), primary_key=True, autoincrement=False),
    _number("first_seq"),
    _number("last_seq"),
    _number("records"),
    Column("lines", LargeBinary, nullable=False),
    Column("lines_digest", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    _number("sealed_at"),
    Column("blank_tag", LargeBinary),
    Column("purge_tag", LargeBinary),
    Index(
        "audit_seals_to_blank",
        "sealed_at",
        sqlite_where=text("blank_tag IS NULL"),
        postgresql_where=text("blank_tag IS NULL"),
    ),
    Index(
        "audit_seals_to_purge",
        "sealed_at",
        sqlite_where=text("purge_tag IS NULL"),
        postgresql_where=text("purge_tag IS NULL"),
    ),
    sqlite_strict=True,
)

# A letter that was given up has neither content nor a time at which it is due.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sealed", LargeBinary),
    _number("attempts", default=0),
    _number("created_at"),
    _maybe_number("expires_at"),
    _maybe_number("due_at"),
    Column("error", Text),
    Index("outbox_due", "due_at"),
    sqlite_strict=True,
)

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    _words("value"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
