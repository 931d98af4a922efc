"""The engine for many nodes: PostgreSQL through asyncpg.

texts         the shared statements in PostgreSQL's own form
rotation      rotation as one statement, of one session or of several
gathering     rotations that leave together
calls         running a call's steps, in a transaction or as one statement
journal       numbers in commit order: publishing
listening     hearing what other nodes commit
connections   opening connections, and every reason not to go on
store         the store itself
migration     bringing a database to this version's schema
"""

from __future__ import annotations

from sekisho.storage.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
