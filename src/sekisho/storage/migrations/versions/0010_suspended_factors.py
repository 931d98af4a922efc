"""Since when a factor proves nothing beside another.

Revision ID: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Adds only: a version that knows of no suspension takes every confirmed factor, as it always did."""
    op.add_column("factors", sa.Column("suspended_at", NUMBER))
