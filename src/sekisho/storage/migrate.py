"""The SQL text that brings a database to this version's schema.

Alembic writes the text without a connection; the engine's own driver runs it in one transaction, and
`sekisho migrate --sql` can print it for an administrator. Serving never imports this module.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from sekisho.storage.errors import SchemaTooNew
from sekisho.storage.revision import OLDEST_READER, OLDEST_READER_REVISION

_SCRIPTS = ScriptDirectory(str(Path(__file__).parent / "migrations"))


_SAY_WHO_MAY_READ = f"""
INSERT INTO meta (name, value) VALUES ('{OLDEST_READER}', '{OLDEST_READER_REVISION}')
ON CONFLICT (name) DO UPDATE SET value = '{OLDEST_READER_REVISION}';
"""  # noqa: S608 - constants


def head() -> str:
    """Return the newest revision there is a migration for."""
    newest = _SCRIPTS.get_current_head()
    if newest is None:
        raise RuntimeError("no migrations in this installation")
    return newest


def is_known(revision: str) -> bool:
    """Whether there is a migration for this revision: a newer version's is not known."""
    try:
        return _SCRIPTS.get_revision(revision) is not None
    except CommandError:
        return False


def migration_sql(dialect: str, start: str | None) -> str:
    """Return the statements from revision `start` (None: an empty database) to the head; "" if it is there already.

    Args:
        dialect: `sqlite` or `postgresql`.

    Raises:
        SchemaTooNew: no migration here leads on from `start`.
    """
    if start is not None and not is_known(start):
        raise SchemaTooNew(start, head())
    if start == head():
        return ""

    def upgrade(revision: Any, _: MigrationContext) -> Sequence[RevisionStep]:
        return _SCRIPTS._upgrade_revs("head", revision)

    text = io.StringIO()
    context = MigrationContext.configure(
        dialect_name=dialect,
        opts={"as_sql": True, "output_buffer": text, "starting_rev": start, "fn": upgrade, "transactional_ddl": False},
    )
    with Operations.context(context):
        context.run_migrations()
    return text.getvalue() + _SAY_WHO_MAY_READ
