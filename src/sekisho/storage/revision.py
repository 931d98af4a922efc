"""The schema that this code reads and writes, in a module so small that opening a store needs no migration library.

Migrations only add, so that the version before goes on beside this one while an upgrade rolls through the nodes. How
far back that holds, each migrated database says itself, in the table `meta` under the name `OLDEST_READER`.
"""

from __future__ import annotations

SCHEMA_REVISION = "0010"

OLDEST_READER = "oldest_schema_reader"

# A version that knows less would sign people in without the second factor that they have enrolled.
OLDEST_READER_REVISION = "0003"


def serves(found: str, oldest_reader: str | None) -> bool:
    """Whether this code may work on a database.

    Args:
        found: the database's revision.
        oldest_reader: what it says of itself; None if it says nothing.
    """
    if found == SCHEMA_REVISION:
        return True
    return found > SCHEMA_REVISION and oldest_reader is not None and oldest_reader <= SCHEMA_REVISION
