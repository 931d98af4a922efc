"""Devices on which a second step is not asked again, and how often in a row a factor was guessed at.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0005"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds only: a version that trusts no device asks for the second step, as it always did."""
    op.add_column("factors", sa.Column("failures", NUMBER, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "trusted_devices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("app", sa.Text, nullable=False),
        sa.Column("value_hash", sa.LargeBinary, nullable=False),
        sa.Column("security_version", NUMBER, nullable=False),
        sa.Column("device_name", sa.Text, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("last_used_at", NUMBER, nullable=False),
        sa.Column("expires_at", NUMBER, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("trusted_devices_value", "trusted_devices", ["value_hash"], unique=True)
    op.create_index("trusted_devices_account", "trusted_devices", ["account_id", "created_at"])
    op.create_index("trusted_devices_expires", "trusted_devices", ["expires_at"])
