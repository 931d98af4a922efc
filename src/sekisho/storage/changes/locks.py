"""The account row as the lock of everything that must happen one after the other for one account."""

from __future__ import annotations

# Writes nothing new, but holds the row until the commit, also on PostgreSQL. Gives a row only to a flow
# whose reads still stand.
LOCK_ACCOUNT = """
UPDATE accounts SET security_version = security_version
WHERE id = :id AND status = 'active' AND security_version = :security_version
RETURNING email_key
"""

# For a change that holds whatever state the account is in.
LOCK_ACCOUNT_ROW = "UPDATE accounts SET security_version = security_version WHERE id = :id RETURNING 1"

# For an operator's change, which a disabled account must not escape.
LOCK_PRESENT_ACCOUNT = """
UPDATE accounts SET security_version = security_version
WHERE id = :id AND status <> 'withdrawn' AND security_version = :security_version
RETURNING 1
"""
