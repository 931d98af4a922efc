"""Reading the audit trail up to where it is settled."""

from __future__ import annotations

ANY_AUDIT_BEHIND = "SELECT 1 FROM audit WHERE seq > :after_seq LIMIT 1"

# A writer takes its lock on the table before the sequence gives it a number, and keeps it until its commit. Whoever
# holds this lock therefore sees every number that was given so far, committed or never to come. New writers queue
# behind it, so it is not waited for long; the next round tries again.
HOLD_AUDIT = "SET LOCAL lock_timeout = '250ms'; LOCK TABLE audit IN SHARE MODE"
