"""History: which hashes a new password of an account must not have.

Where the policy asks for it, the newest few; the present one counts as one of them. A password that an operator or its
owner's "that was not me" took away never comes back, whatever the policy: somebody else may know it.

Spec: NIST SP 800-63B-4 section 3.1.1.2 (a change on evidence of compromise).
"""

from __future__ import annotations

from sekisho.model import Account
from sekisho.ports.storage import AccountReads


def kept_at_change(history: int) -> int:
    """Return how many hashes stay when a new password takes its place: with it they are `history`."""
    return max(0, history - 1)


def kept_when_taken(history: int) -> int:
    """Return how many hashes stay when the password is taken away: that one at least."""
    return max(1, history)


async def hashes_to_avoid(account: Account, history: int, reads: AccountReads) -> list[str]:
    """Return the hashes that a new password is compared with, newest first: at most `history`, or the one that was
    taken away."""
    present = [] if account.password_hash is None else [account.password_hash]
    wanted = history or (0 if present else 1)
    if wanted <= len(present):
        return present[:wanted]
    return [*present, *await reads.list_earlier_passwords(account.id, wanted - len(present))]
