"""The tables of the schema in the order in which they can be filled: who is referred to comes first."""

from __future__ import annotations

from sqlalchemy import Table

from sekisho.storage.moving.sides import TableShape
from sekisho.storage.schema import metadata


def table_shapes() -> list[TableShape]:
    """Return the shape of every table there is; `meta` is the last, for it names the installation."""
    shapes = [_shape(table) for table in metadata.sorted_tables]
    return sorted(shapes, key=lambda shape: shape.name == "meta")


def _shape(table: Table) -> TableShape:
    key = tuple(column.name for column in table.primary_key)
    counter = next((column.name for column in table.primary_key if column.autoincrement is True), None)
    return TableShape(table.name, tuple(column.name for column in table.columns), key, counter)
