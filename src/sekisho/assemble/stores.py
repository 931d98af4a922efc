"""Opening the store, and holding the master secret to the database that was made with it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec

from sekisho.master_secret import STORED_CHECK, STORED_FORMERS, MasterSecret, UnsealError
from sekisho.ports.changes import SetMeta
from sekisho.ports.storage import Store
from sekisho.settings import Settings
from sekisho.storage.sqlite import SqliteStore
from sekisho.storage.sqlite.connections import Durability
from sekisho.tokens.signing_keys import KeyRing

REDIS = "sekisho.storage.redis"


class WrongMasterSecret(Exception):
    """The database was made with another master secret. The text is for the operator."""

    def __init__(self) -> None:
        super().__init__(
            "SEKISHO_SECRET is not the master secret that this database was made with: its keys and tokens cannot be "
            "opened. Set the original secret (in dev it is in .sekisho/secret), or the one that replaced it, or point "
            "SEKISHO_DATABASE_URL to another file."
        )


class FormerSecretsDamaged(Exception):
    """The master secrets from before cannot be opened. The text is for the operator."""

    def __init__(self) -> None:
        super().__init__(
            "The row 'former_secrets' of the table meta cannot be opened: it was changed or damaged. Restore the "
            "database from a backup."
        )


async def open_store(
    settings: Settings,
    master: MasterSecret,
    durability: Durability = "full",
    *,
    quick_check: bool | None = None,
    needs_redis: bool = True,
) -> Store:
    """Return the open store of these settings.

    Args:
        durability: "off" is for tests only.
        quick_check: see `SqliteStore.open`.
        needs_redis: False for an operator's command, which must be able to end a session while Redis is down.

    Raises:
        StoreCannotOpen: with what to do.
        WrongMasterSecret: the database was made with another one; nothing is created in it.
        FormerSecretsDamaged: what the store keeps of the secrets from before cannot be opened.
    """
    store: Store
    if settings.is_postgres:
        # Each engine's driver costs memory; only the chosen one's is loaded.
        engine = import_module("sekisho.storage.postgres")
        store = await engine.PostgresStore.open(postgres_target(settings))
    else:
        store = await SqliteStore.open(settings.database_path, durability=durability, quick_check=quick_check)
    try:
        await _check_master_secret(store, master)
        return await _with_redis(store, settings, must_answer=needs_redis)
    except BaseException:
        await store.close()
        raise


async def _with_redis(store: Store, settings: Settings, *, must_answer: bool) -> Store:
    """Put Redis around the store, if there is one. Its library is loaded only then."""
    address = settings.redis_address
    if address is None:
        return store
    servers, around = import_module(f"{REDIS}.servers"), import_module(f"{REDIS}.store")
    wrapped: Store = await around.RedisStore.open(
        store,
        servers.Servers(**msgspec.structs.asdict(address)),
        keeps_sessions=settings.redis.sessions,
        must_answer=must_answer,
    )
    return wrapped


async def examine_redis(settings: Settings) -> str | None:
    """Look at Redis for `doctor`: what is there, or None if none is configured.

    Raises:
        RedisCannotBeUsed: with what to do.
    """
    address = settings.redis_address
    if address is None:
        return None
    servers, examining = import_module(f"{REDIS}.servers"), import_module(f"{REDIS}.examining")
    found = await examining.examine(
        servers.Servers(**msgspec.structs.asdict(address)), keeps_sessions=settings.redis.sessions
    )
    return ", ".join(f"{each.version} ({each.place})" for each in found)


def postgres_target(settings: Settings) -> Any:
    """Return the `storage.postgres.connections.Target` of these settings."""
    password = settings.database_password
    return import_module("sekisho.storage.postgres.connections").Target(
        url=settings.database_url,
        listen_url=settings.database_listen_url,
        password=password.get_secret_value() if password else None,
        pool_size=settings.database_pool_size,
        statement_timeout_ms=settings.database_timeout_ms,
        is_pooled=settings.database_pgbouncer,
    )


async def _check_master_secret(store: Store, master: MasterSecret) -> None:
    """Leave the secret's fingerprint in a new database, or hold it against the one that is there; take over the secrets
    from before.

    A database that has lost the fingerprint must not take a wrong one: its keys are asked first.
    """
    if await store.find_meta(STORED_CHECK) is None:
        try:
            KeyRing(master).load(await store.list_signing_keys(), now=0)
        except UnsealError:
            raise WrongMasterSecret from None
    check = master.fingerprint()
    if (await store.apply(SetMeta(name=STORED_CHECK, value=check))).results[0] != check:
        raise WrongMasterSecret
    try:
        master.recall(await store.find_meta(STORED_FORMERS))
    except UnsealError:
        raise FormerSecretsDamaged from None
