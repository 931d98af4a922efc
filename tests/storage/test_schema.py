"""Metadata, migrations, statements and the port belong together."""

from __future__ import annotations

import re

import apsw
import pytest
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from sekisho.ports.changes import Change
from sekisho.storage.changes import STEPS_OF
from sekisho.storage.errors import SchemaTooNew
from sekisho.storage.migrate import head, migration_sql
from sekisho.storage.revision import SCHEMA_REVISION
from sekisho.storage.schema import metadata

ADDED = re.compile(r"ALTER TABLE (\w+) ADD COLUMN (.+)")
DIALECTS: dict[str, Dialect] = {"sqlite": sqlite.dialect(), "postgresql": postgresql.dialect()}  # type: ignore[no-untyped-call]


def statements(sql: str) -> set[str]:
    """Return the CREATE statements of a text, without differences of white space; a column that was added later stands
    in the statement of its table, behind the others."""
    lines = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    found = [re.sub(r"\s+", " ", statement).strip() for statement in lines.split(";")]
    made = [statement for statement in found if statement.startswith("CREATE") and "alembic_version" not in statement]
    for table, column in (added.groups() for added in map(ADDED.fullmatch, found) if added):
        at = next(number for number, one in enumerate(made) if one.startswith(f"CREATE TABLE {table} ("))
        made[at] = made[at].replace(", PRIMARY KEY (", f", {column}, PRIMARY KEY (")
    return set(made)


def test_the_code_s_revision_is_the_newest_migration() -> None:
    assert head() == SCHEMA_REVISION


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_migrations_make_exactly_the_tables_and_indexes_of_the_metadata(name: str) -> None:
    wanted = []
    for table in metadata.sorted_tables:
        wanted.append(str(CreateTable(table).compile(dialect=DIALECTS[name])))
        wanted += [str(CreateIndex(index).compile(dialect=DIALECTS[name])) for index in table.indexes]
    assert statements(migration_sql(name, None)) == statements(";".join(wanted))


def test_a_migrated_database_has_the_columns_of_the_metadata_and_strict_tables() -> None:
    connection = apsw.Connection(":memory:")
    connection.execute(migration_sql("sqlite", None)).fetchall()
    for table in metadata.sorted_tables:
        found = connection.execute(f"SELECT name FROM pragma_table_info('{table.name}')").fetchall()
        assert [row[0] for row in found] == [column.name for column in table.columns]
    strict = connection.execute("SELECT name FROM pragma_table_list WHERE strict").fetchall()
    assert {row[0] for row in strict} == set(metadata.tables)
    connection.close()


def test_numbers_of_journal_and_audit_are_made_by_the_database_and_never_reused() -> None:
    assert migration_sql("sqlite", None).count("PRIMARY KEY AUTOINCREMENT") == 3
    assert migration_sql("postgresql", None).count(" BIGSERIAL") == 3


def test_from_the_newest_revision_there_is_nothing_to_do() -> None:
    assert migration_sql("sqlite", head()) == ""


def test_from_an_unknown_revision_there_is_no_way() -> None:
    with pytest.raises(SchemaTooNew):
        migration_sql("sqlite", "9999")


def test_every_change_of_the_port_has_its_steps() -> None:
    vocabulary = {change for change in Change.__subclasses__() if change.__module__.startswith("sekisho.ports.")}
    assert set(STEPS_OF) == vocabulary
