"""FS-12: a newer version's schema comes while nodes serve; one is restarted on it; a migration is killed half-way."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest

from faults.engines import ON_SERVERS
from faults.invariants import everybody_goes_on, the_database_agrees
from faults.living import living
from faults.site import Site, account, ports_of, until
from live_server import environment
from sekisho.storage import migrate
from sekisho.storage.revision import OLDEST_READER, SCHEMA_REVISION

pytestmark = [pytest.mark.anyio, pytest.mark.heavy]

CLIENTS = 8
VERSIONS = Path(migrate.__file__).with_name("migrations") / "versions"
ONE_BEFORE = sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))[-2]
# What a migration of the next version may do: add, and say from which version on it serves.
NEWER = (
    "ALTER TABLE sessions ADD COLUMN of_tomorrow TEXT",
    "CREATE TABLE tomorrow (id TEXT PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = '9999'",
)


def say_oldest_reader(site: Site, revision: str) -> None:
    site.rows("UPDATE meta SET value = ? WHERE name = ?", revision, OLDEST_READER)


def added_by_the_newest() -> list[tuple[str, str]]:
    """Return the tables, with "", and the columns that the newest migration adds, each with its table."""
    sql = migrate.migration_sql("postgresql", ONE_BEFORE)
    added = re.findall(r"(?:CREATE TABLE (\w+)|ALTER TABLE (\w+) ADD COLUMN (\w+))", sql)
    assert added, "a migration that adds nothing leaves nothing to look for"
    return [(made or altered, column) for made, altered, column in added]


def is_there(site: Site, table: str, column: str) -> bool:
    name = "attname" if column else "''"
    return bool(
        site.value(
            f"SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass(?) AND NOT attisdropped AND {name} = ?",
            table,
            column,
        )
    )


@ON_SERVERS
async def test_FS_12_nodes_serve_on_a_newer_schema_and_start_on_it_while_it_serves_them(site: Site) -> None:
    await site.seed(*(account(number) for number in range(CLIENTS)))
    with site.serving() as stays, site.serving() as restarted:
        port = ports_of([restarted])[0]
        async with living([stays], CLIENTS) as everybody:
            say_oldest_reader(site, SCHEMA_REVISION)
            for statement in NEWER:
                site.rows(statement)
            await everybody.all_go_on(20, "refreshes on the newer schema")
            restarted.kill()
        with site.serving(port=port) as again:
            assert everybody.refusals() == 0
            await everybody_goes_on(ports_of([stays, again]), everybody.everybody)
    the_database_agrees(site, everybody.everybody)

    say_oldest_reader(site, "9999")
    refused = site.command("doctor")
    assert refused.returncode == 1
    assert "9999" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
async def test_FS_12_a_migration_that_is_killed_half_way_leaves_nothing_of_itself_and_is_run_again(site: Site) -> None:
    """The older state: before the newest migration, whose tables and columns come before its last word."""
    added = added_by_the_newest()
    for table, column in added:
        site.rows(f"ALTER TABLE {table} DROP COLUMN {column}" if column else f"DROP TABLE {table}")
    site.rows("UPDATE alembic_version SET version_num = ?", ONE_BEFORE)
    blocker = await asyncio.create_subprocess_exec(
        "psql", "-X", "-q", site.environ["SEKISHO_DATABASE_URL"], stdin=asyncio.subprocess.PIPE
    )
    assert blocker.stdin is not None
    blocker.stdin.write(b"BEGIN; LOCK TABLE meta IN EXCLUSIVE MODE;\n")
    await blocker.stdin.drain()
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    migration = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sekisho", "migrate"),
        cwd=site.folder,
        env={**environment(), **site.environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        await until(lambda: site.value(waiting) > 0, 90, "the migration to wait half-way")
        migration.kill()
        await migration.wait()
    finally:
        blocker.stdin.write(b"ROLLBACK;\n\\q\n")
        await blocker.stdin.drain()
        await blocker.wait()
    await until(lambda: site.value(waiting) == 0, 60, "the server to notice")
    assert site.value("SELECT version_num FROM alembic_version") == ONE_BEFORE
    assert [each for each in added if is_there(site, *each)] == []

    again = site.command("migrate", "--json")
    assert again.returncode == 0, again.stderr
    assert site.value("SELECT version_num FROM alembic_version") == SCHEMA_REVISION
    assert [each for each in added if not is_there(site, *each)] == []
    await site.seed(account(0))
    with site.serving() as server:
        await everybody_goes_on(ports_of([server]), [])
