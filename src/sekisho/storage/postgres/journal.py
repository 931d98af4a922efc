"""The journal in commit order.

A sequence gives numbers when rows are written, not when they are committed: a reader at 8 would miss a 7 that is
committed later. So a revoking transaction writes into `journal_waiting`, and whoever reads the journal first
*publishes*: moves what is committed there into `journal`, where it gets its number. Publishing holds a lock until its
commit, so numbers become visible in their order. Revoking transactions never wait for each other.
"""

# ruff: noqa: S608 - the texts are put together from constants

from __future__ import annotations

# Any constant does, as long as nobody else in the database uses it.
PUBLISHING = 5_362_917_004

# Each statement of the block sees what was committed when it began: the move sees all that was published while the
# lock was waited for. Two publishers would also meet at the rows that both delete, but there they could deadlock, and
# the order of numbers would hang on how the server plans the move.
PUBLISH = f"""
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock({PUBLISHING});
    WITH committed AS (DELETE FROM journal_waiting RETURNING id, kind, value, expires_at, reason)
    INSERT INTO journal (kind, value, expires_at, reason)
    SELECT kind, value, expires_at, reason FROM committed ORDER BY id;
END
$$
"""

LOOK = """
SELECT (SELECT value FROM meta WHERE name = :name), EXISTS (SELECT 1 FROM journal_waiting)
"""
