"""Opening the store, and holding the master secret to the database that was made with it."""

from __future__ import annotations

from sekisho.master_secret import MasterSecret
from sekisho.ports.changes import SetMeta
from sekisho.ports.storage import Store
from sekisho.settings import Settings
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.connections import Durability


class WrongMasterSecret(Exception):
    """The database was made with another master secret. The text is for the operator."""

    def __init__(self) -> None:
        super().__init__(
            "SEKISHO_SECRET is not the master secret that this database was made with: its keys and tokens cannot be "
            "opened. Set the original secret (in dev it is in .sekisho/secret), or point SEKISHO_DATABASE_URL to "
            "another file."
        )


async def open_store(
    settings: Settings, master: MasterSecret, durability: Durability = "full", *, quick_check: bool | None = None
) -> Store:
    """Return the open store of these settings.

    Args:
        durability: "off" is for tests only.
        quick_check: see `SqliteStore.open`.

    Raises:
        StoreCannotOpen: with what to do.
        WrongMasterSecret: the database was made with another one; nothing is created in it.
    """
    store = await SqliteStore.open(settings.database_path, durability=durability, quick_check=quick_check)
    check = master.fingerprint()
    if (await store.apply(SetMeta(name="master_secret_check", value=check))).results[0] != check:
        await store.close()
        raise WrongMasterSecret
    return store
