"""History: what happened to my account, as far as the audit trail knows it.

    open the cursor -> read the account's records, newest first -> give the next cursor

Also what failed: a stranger's wrong passwords are the owner's business. The trail's own numbers would tell how much
happens on the whole server, so a cursor is sealed; it is good for this account only.

Spec: OWASP ASVS 5.0 rows 6.3.5 and 16.3.1.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.audit import Event
from sekisho.errors import ValidationError
from sekisho.master_secret import MasterSecret, UnsealError
from sekisho.model import AccountId, AuditRecord, Principal
from sekisho.ports.storage import AuditFilter, Store
from sekisho.rfc import base64url

PAGE = 50

MAX_CURSOR_CHARS = 100
_PURPOSE = "history cursor"

# What the server notes about itself and no person can make sense of.
NOT_SHOWN = frozenset({Event.STORE_BEHIND})


class HistoryWorld(Struct, frozen=True, kw_only=True):
    store: Store
    master: MasterSecret


class HistoryPage(Struct, frozen=True):
    """Records, newest first, at most 50. `next` is where to go on; None at the end."""

    records: tuple[AuditRecord, ...]
    next: str | None


async def history(principal: Principal, after: str | None, world: HistoryWorld) -> HistoryPage:
    """Return a page of the account's history.

    Args:
        after: the `next` of the page before; untrusted.

    Raises:
        ValidationError: `after` is not a cursor that this account was given.
    """
    before_seq = None if after is None else _open(after, principal.account_id, world)
    wanted = AuditFilter(account_id=principal.account_id, before_seq=before_seq, limit=PAGE)
    found = await world.store.list_audit(wanted)
    following = _seal(found[-1].seq, principal.account_id, world) if len(found) == PAGE else None
    return HistoryPage(tuple(record for record in found if record.event not in NOT_SHOWN), following)


def _seal(seq: int, account_id: AccountId, world: HistoryWorld) -> str:
    return base64url.encode(world.master.seal(_PURPOSE, seq.to_bytes(8, "big"), account_id))


def _open(cursor: str, account_id: AccountId, world: HistoryWorld) -> int:
    try:
        sealed = base64url.decode(cursor, MAX_CURSOR_CHARS)
        return int.from_bytes(world.master.unseal(_PURPOSE, sealed, account_id), "big")
    except (base64url.Base64UrlError, UnsealError):
        raise ValidationError(details={"after": "invalid_format"}, detail="history cursor") from None
