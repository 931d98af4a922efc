"""The keys with which protected APIs read the feed of revocations.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds only: a version that has no feed goes on beside this one."""
    op.create_table(
        "guard_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("guard_keys_name", "guard_keys", ["name"], unique=True)
