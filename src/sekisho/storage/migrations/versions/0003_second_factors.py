"""Authenticators beside the password, recovery codes, and sign-ins that wait for their second step.

Revision ID: 0003
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def number(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, NUMBER, nullable=False, server_default=None if default is None else sa.text(default))


def maybe_number(name: str) -> sa.Column[Any]:
    return sa.Column(name, NUMBER)


def words(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=False)


def account(*, is_key: bool = False) -> sa.Column[Any]:
    return sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.id"), nullable=False, primary_key=is_key)


def upgrade() -> None:
    """Adds only: a version that knows the older tables alone goes on beside this one."""
    op.create_table(
        "factors",
        sa.Column("id", sa.Text, primary_key=True),
        account(),
        words("kind"),
        words("name"),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        number("last_step"),
        number("created_at"),
        maybe_number("confirmed_at"),
        maybe_number("last_used_at"),
        maybe_number("expires_at"),
        sqlite_strict=True,
    )
    op.create_index("factors_account", "factors", ["account_id", "created_at"])
    enrolling = sa.text("expires_at IS NOT NULL")
    op.create_index("factors_expires", "factors", ["expires_at"], sqlite_where=enrolling, postgresql_where=enrolling)
    op.create_table(
        "recovery_codes",
        account(is_key=True),
        sa.Column("code_hash", sa.LargeBinary, primary_key=True),
        maybe_number("used_at"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "challenges",
        sa.Column("id", sa.Text, primary_key=True),
        account(),
        words("client_id"),
        words("transport"),
        number("security_version"),
        number("tries", "0"),
        number("created_at"),
        number("expires_at"),
        maybe_number("used_at"),
        sqlite_strict=True,
    )
    op.create_index("challenges_account", "challenges", ["account_id"])
    op.create_index("challenges_expires", "challenges", ["expires_at"])
