"""The chain over the audit trail.

Revision ID: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds only: a version that does not seal goes on beside this one."""
    op.create_table(
        "audit_seals",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=False),
        sa.Column("first_seq", NUMBER, nullable=False),
        sa.Column("last_seq", NUMBER, nullable=False),
        sa.Column("records", NUMBER, nullable=False),
        sa.Column("lines", sa.LargeBinary, nullable=False),
        sa.Column("lines_digest", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("sealed_at", NUMBER, nullable=False),
        sa.Column("blank_tag", sa.LargeBinary),
        sa.Column("purge_tag", sa.LargeBinary),
        sqlite_strict=True,
    )
    for todo in ("blank", "purge"):
        undone = sa.text(f"{todo}_tag IS NULL")
        op.create_index(
            f"audit_seals_to_{todo}", "audit_seals", ["sealed_at"], sqlite_where=undone, postgresql_where=undone
        )
