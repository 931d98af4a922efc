"""The register of what is kept about people: complete, and in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest
from sqlalchemy import LargeBinary, Table, Text

from sekisho.ports.changes import AddAccount, EraseAccount
from sekisho.storage.data_classes import REGISTER, DataClass
from sekisho.storage.schema import metadata
from storage.build import account, done
from storage.fast import new_store

pytestmark = pytest.mark.anyio

MARK = "PersonalMark"
SEALED = ("sealed", "sealed_private")


def test_V14_1_1_V14_1_2_every_column_has_one_class() -> None:
    kept = {name: sorted(each.classes) for name, each in REGISTER.items()}
    assert kept == {table.name: sorted(table.columns.keys()) for table in metadata.sorted_tables}
    for each in REGISTER.values():
        assert len(each.classes) == sum(len(getattr(each, kind.value)) for kind in DataClass)


def test_what_is_called_sealed_or_a_hash_is_secret() -> None:
    for name, each in REGISTER.items():
        secret = {column for column in each.classes if column.endswith("_hash") or column in SEALED}
        assert secret <= set(each.secret), name


async def test_V14_2_4_a_withdrawal_erases_what_is_personal_in_every_table_of_the_account(tmp_path: Path) -> None:
    owner = account(name=MARK)
    store = await new_store(tmp_path)
    try:
        await done(store, AddAccount(account=owner))
        connection = apsw.Connection(str(tmp_path / "sekisho.db"))
        filled = [table for table in metadata.sorted_tables if "account_id" in table.columns]
        assert len(filled) >= 5
        for table in filled:
            _fill(connection, table, owner.id)
        assert MARK in _everything(connection)
        await done(store, EraseAccount(account_id=owner.id, security_version=1, identifier_tag="tag"))
        assert MARK not in _everything(connection)
        connection.close()
    finally:
        await store.close()


def _fill(connection: apsw.Connection, table: Table, account_id: str) -> None:
    """Put a row of the account into the table, with the mark in whatever is personal."""

    def value(name: str, kind: Any) -> object:
        if name == "account_id":
            return account_id
        if name in REGISTER[table.name].personal:
            return MARK
        return "x" if isinstance(kind, Text) else b"x" if isinstance(kind, LargeBinary) else 1

    row = {column.name: value(column.name, column.type) for column in table.columns}
    sql = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"
    connection.execute(sql, row)


def _everything(connection: apsw.Connection) -> str:
    rows = (list(connection.execute(f"SELECT * FROM {table.name}")) for table in metadata.sorted_tables)
    return str(list(rows))
