"""The schema that this code reads and writes, in a module so small that opening a store needs no migration library."""

from __future__ import annotations

SCHEMA_REVISION = "0005"
