"""Which second step is asked of a sign-in whose first step was right.

    the account has a second factor   -> any of its methods
    it has none, and one is asked for -> a code by mail, to the address of the account
    else                              -> nothing: sign in

Every way in asks here before it starts a session; nothing else knows the rules. Whether the sign-in looks unusual is
for the caller to say: then a second step is asked of everybody.

Spec: OWASP ASVS 5.0 rows 6.3.3 and 6.3.4; NIST SP 800-63B-4 section 2.
"""

from __future__ import annotations

from msgspec import Struct

from sekisho.mfa.methods import Method, confirmed, methods_to_finish
from sekisho.model import Account
from sekisho.ports.storage import FactorReads


class FirstStep(Struct, frozen=True, kw_only=True):
    """A sign-in as far as it has come: whose it is, and whether something about it is unusual enough to ask."""

    account: Account
    is_unusual: bool = False


class SecondStep(Struct, frozen=True):
    """methods: what may be shown, the best first; none: the first step is enough."""

    methods: tuple[Method, ...] = ()


class SecondSteps:
    def __init__(self, store: FactorReads) -> None:
        self._store = store

    async def ask(self, first: FirstStep) -> SecondStep:
        """Return what must be shown before a session may start."""
        account = first.account
        factors = confirmed(await self._store.list_factors(account.id))
        if not (factors or first.is_unusual):
            return SecondStep()
        codes = await self._store.count_recovery_codes(account.id) if factors else 0
        return SecondStep(methods_to_finish(factors, codes))
