"""Why a store cannot be opened. Each message says what to do: it is printed to an operator as it stands."""

from __future__ import annotations

from pathlib import Path


class StoreCannotOpen(Exception):
    """A store that must not be used as it is. The text is for the operator."""


class SchemaTooOld(StoreCannotOpen):
    """The tables are of an older revision, or there are none yet (`found` is None)."""

    def __init__(self, found: str | None, wanted: str) -> None:
        super().__init__(
            f"The database has schema {found}; this version of Sekisho needs schema {wanted}. "
            "Make a backup and run `sekisho migrate`."
            if found
            else "The database has no tables yet: run `sekisho migrate`."
        )
        self.found = found
        self.wanted = wanted


class SchemaTooNew(StoreCannotOpen):
    """A newer version of Sekisho has migrated this database: writing to it could destroy what that one stores."""

    def __init__(self, found: str, wanted: str) -> None:
        super().__init__(
            f"The database has schema {found}, which is newer than this version of Sekisho knows ({wanted}). "
            "Start the newer version, or restore the backup that was made before the upgrade."
        )
        self.found = found
        self.wanted = wanted


class NotADatabase(StoreCannotOpen):
    """The file is something else. It is left as it is."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"{path} is not a database of Sekisho: {why}. Point SEKISHO_DATABASE_URL to another file.")
        self.path = path


class DamagedDatabase(StoreCannotOpen):
    """The file is ours, but broken. It is left as it is, so that it can be looked into."""

    def __init__(self, path: Path, finding: str) -> None:
        super().__init__(
            f"The database {path} is damaged: {finding}. Keep a copy of it together with its -wal file, restore the "
            'latest backup, or try `sqlite3 <file> ".recover"` on the copy.'
        )
        self.path = path


class CannotWrite(StoreCannotOpen):
    """The folder or the file does not let us write. SQLite needs both: it puts two files beside the database."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"Cannot write to {path} ({why}). The database file and its folder must exist and be writable by the user "
            "that runs Sekisho."
        )
        self.path = path


class DatabaseBusy(StoreCannotOpen):
    """Somebody else holds the file for longer than we wait."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"The database {path} is locked by another process. Stop that process and start again.")
        self.path = path


class DatabaseRefused(StoreCannotOpen):
    """A PostgreSQL server that does not let us in, or cannot be used. `path` is host, port and database."""

    def __init__(self, path: str, why: str, fix: str) -> None:
        super().__init__(f"The database {path} cannot be used: {why}. {fix}")
        self.path = path
        self.why = why


class ServerNotThere(DatabaseRefused):
    """Nobody answers at this address, or not yet."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Check host and port in SEKISHO_DATABASE_URL, and that PostgreSQL is running.")


class ServerNotTrusted(DatabaseRefused):
    """The connection cannot be encrypted as `sslmode` asks, or the certificate does not prove who answers."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            path,
            why,
            "In SEKISHO_DATABASE_URL `sslrootcert` must name the file with the authority of the server's certificate, "
            "and the host must be a name in that certificate; `sslmode` says what is checked.",
        )


class WrongCredentials(DatabaseRefused):
    """User or password is not accepted."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            path, why, "Check user and password in SEKISHO_DATABASE_URL or SEKISHO_DATABASE_PASSWORD, and pg_hba.conf."
        )


class NoSuchDatabase(DatabaseRefused):
    """The server runs, but has no database of this name."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Create it (`createdb`), or correct the name in SEKISHO_DATABASE_URL.")


class MissingRights(DatabaseRefused):
    """The user may connect, but not do what Sekisho does."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            path,
            why,
            "Let the user of SEKISHO_DATABASE_URL own the database, or grant it the rights on schema and tables.",
        )


class ReadOnlyDatabase(DatabaseRefused):
    """A standby, or a database that is set to read only."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Let SEKISHO_DATABASE_URL name the primary server.")


class ServerTooOld(DatabaseRefused):
    """`found` is the version of the server."""

    def __init__(self, path: str, found: str, wanted: str) -> None:
        fix = f"Sekisho needs PostgreSQL {wanted} or newer: upgrade it, or point SEKISHO_DATABASE_URL to a newer one."
        super().__init__(path, f"it is PostgreSQL {found}", fix)
        self.found = found
        self.wanted = wanted


class MigrationBusy(DatabaseRefused):
    """Another migration, or a long transaction, holds what this one needs. Nothing was changed."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Run `sekisho migrate` again when the other migration or transaction has ended.")


class ForeignTables(DatabaseRefused):
    """The database holds tables of another program under our names."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Let SEKISHO_DATABASE_URL name a database of its own.")


class DatabaseInUse(DatabaseRefused):
    """Servers are connected that would write while the database is moved."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why, "Stop every server and command that uses it, then try again.")
