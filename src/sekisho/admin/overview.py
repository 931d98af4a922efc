"""One account, as an operator looks at it before helping somebody: who it is, what opens it, and where it is open."""

from __future__ import annotations

from msgspec import Struct

from sekisho.admin.accounts import find_account
from sekisho.admin.world import OperatorWorld
from sekisho.mfa.methods import confirmed, suspended
from sekisho.model import Account, RecoveryEmail


class Overview(Struct, frozen=True, kw_only=True):
    """second_factors: the kinds of those that are enrolled, oldest first. suspended_factors: those of them that are not
    taken until another was shown. recovery_codes: how many are unused."""

    account: Account
    recovery_email: RecoveryEmail | None
    second_factors: tuple[str, ...]
    suspended_factors: tuple[str, ...]
    recovery_codes: int
    trusted_devices: int
    live_sessions: int


async def look_at(who: str, world: OperatorWorld) -> Overview:
    """Return what there is about the account of an address or id.

    Raises:
        NotFound: no such account.
        ValidationError: it has an `@` but is not an address.
    """
    account, store, now = await find_account(who, world), world.store, world.clock.now()
    factors = await store.list_factors(account.id)
    return Overview(
        account=account,
        recovery_email=await store.find_recovery_email(account.id),
        second_factors=tuple(factor.kind.value for factor in confirmed(factors)),
        suspended_factors=tuple(factor.kind.value for factor in suspended(factors)),
        recovery_codes=await store.count_recovery_codes(account.id),
        trusted_devices=len(await store.list_trusted_devices(account.id, now)),
        live_sessions=len(await store.list_sessions(account.id, now)),
    )
