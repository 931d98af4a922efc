"""The first tables.

Revision ID: 0001
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=False, server_default=None if default is None else sa.text(default))


def maybe_number(name: str) -> sa.Column[Any]:
    return sa.Column(name, NUMBER)


def words(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def blob(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def name_key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=True)


def never_reused(name: str) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, primary_key=True, autoincrement=True)


def partial_index(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    create_accounts_and_sessions()
    create_sign_up()
    create_limits()
    create_operations()


def create_accounts_and_sessions() -> None:
    op.create_table(
        "accounts",
        name_key("id"),
        words("email"),
        sa.Column("email_key", sa.Text),
        number("is_verified"),
        words("name"),
        words("locale"),
        words("roles"),
        words("status"),
        sa.Column("password_hash", sa.Text),
        number("security_version"),
        number("created_at"),
        sqlite_strict=True,
    )
    op.create_index("accounts_email_key", "accounts", ["email_key"], unique=True)

    op.create_table(
        "sessions",
        name_key("id"),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.id"), nullable=False),
        words("client_id"),
        words("transport"),
        blob("secret_hash"),
        number("counter"),
        number("auth_time_at"),
        words("amr"),
        words("acr"),
        words("device_name"),
        words("device_os"),
        words("device_browser"),
        words("device_type"),
        words("user_agent"),
        words("ip"),
        words("place"),
        number("created_at"),
        number("last_seen_at"),
        number("rotated_at"),
        number("idle_expires_at"),
        number("expires_at"),
        number("sweep_at"),
        maybe_number("ended_at"),
        sa.Column("end_reason", sa.Text),
        sqlite_strict=True,
    )
    op.create_index("sessions_account", "sessions", ["account_id", "ended_at"])
    partial_index("sessions_sweep", "sessions", "sweep_at", "ended_at IS NULL")
    partial_index("sessions_ended", "sessions", "ended_at", "ended_at IS NOT NULL")


def create_sign_up() -> None:
    op.create_table(
        "pending_sign_ups",
        name_key("id"),
        words("email"),
        words("email_key"),
        words("client_id"),
        words("locale"),
        words("password_hash"),
        number("is_decoy"),
        number("created_at"),
        number("expires_at"),
        sqlite_strict=True,
    )
    op.create_index("pending_sign_ups_email_key", "pending_sign_ups", ["email_key", "created_at"])
    op.create_index("pending_sign_ups_expires", "pending_sign_ups", ["expires_at"])

    op.create_table(
        "one_time_codes",
        name_key("id"),
        words("purpose"),
        blob("code_hash"),
        number("tries", "0"),
        number("expires_at"),
        maybe_number("used_at"),
        sqlite_strict=True,
    )
    op.create_index("one_time_codes_expires", "one_time_codes", ["expires_at"])


def create_limits() -> None:
    op.create_table(
        "throttle",
        sa.Column("bucket", sa.LargeBinary, primary_key=True),
        number("tries"),
        number("last_at"),
        number("prior_at"),
        number("window_ends_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("throttle_window", "throttle", ["window_ends_at"])

    op.create_table(
        "known_devices",
        name_key("identifier_tag"),
        name_key("device_tag"),
        number("seen_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("known_devices_seen", "known_devices", ["seen_at"])


def create_operations() -> None:
    op.create_table(
        "signing_keys",
        name_key("kid"),
        words("alg"),
        words("state"),
        blob("sealed_private"),
        words("public_jwk"),
        number("created_at"),
        maybe_number("activated_at"),
        maybe_number("verify_until_at"),
        sqlite_strict=True,
    )
    partial_index("signing_keys_one_in_state", "signing_keys", "state", "state IN ('active', 'next')", unique=True)

    op.create_table(
        "journal",
        never_reused("seq"),
        words("kind"),
        words("value"),
        number("expires_at"),
        words("reason"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("journal_expires", "journal", ["expires_at"])

    op.create_table(
        "audit",
        never_reused("seq"),
        words("event"),
        words("outcome"),
        number("at"),
        words("account_id"),
        words("session_id"),
        words("client_id"),
        words("method"),
        words("reason"),
        words("actor"),
        words("identifier_tag"),
        words("subject"),
        words("ip"),
        words("user_agent"),
        words("place"),
        words("device"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("audit_account", "audit", ["account_id", "seq"])
    op.create_index("audit_session", "audit", ["session_id", "seq"])
    op.create_index("audit_identifier", "audit", ["identifier_tag"])

    op.create_table(
        "outbox",
        name_key("id"),
        sa.Column("sealed", sa.LargeBinary),
        number("attempts", "0"),
        number("created_at"),
        maybe_number("expires_at"),
        maybe_number("due_at"),
        sa.Column("error", sa.Text),
        sqlite_strict=True,
    )
    op.create_index("outbox_due", "outbox", ["due_at"])

    op.create_table("meta", name_key("name"), words("value"), sqlite_strict=True, sqlite_with_rowid=False)
