"""Which second step is asked of a sign-in whose first step was right.

    the account has a second factor   -> any of its methods that is not suspended; on a device that its owner trusts:
                                         nothing
    it has none, and one is asked for -> a code by mail, to the address of the account
    else                              -> nothing: sign in

Every way in asks here before it starts a session; nothing else knows the rules. A second step is asked of everybody,
and on trusted devices too, where the role or the app requires one, and where the sign-in looks unusual, which is for
the caller to say.

Spec: OWASP ASVS 5.0 rows 6.3.3 and 6.3.4; NIST SP 800-63B-4 section 2.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sekisho.identifiers import ClientId
from sekisho.mfa.methods import Method, confirmed, methods_to_finish, suspended
from sekisho.mfa.requirement import Requirement
from sekisho.mfa.trust import Trust
from sekisho.model import Account, Discreet, Millis
from sekisho.ports.changes import Change
from sekisho.ports.storage import FactorReads, TrustReads
from sekisho.ports.trust_changes import UseTrustedDevice


class Reads(FactorReads, TrustReads, Protocol):
    """What the decision reads."""


class FirstStep(Discreet, frozen=True, kw_only=True):
    """A sign-in as far as it has come: whose it is, from which app, which value of a trusted device came along
    (untrusted; "" for none), and whether something about it is unusual enough to ask."""

    account: Account
    client: ClientId
    now: Millis
    trusted: str = ""
    is_unusual: bool = False


class SecondStep(Struct, frozen=True):
    """methods: what may be shown, the best first; none: the first step is enough.
    suspended: what the account has beside them, and what counts only once one of them was shown.
    trusted: the id of the device that spared it, and `using`, which goes into the commit that starts the session.
    trust_days: for how long the device may be trusted once the step is done; 0: not at all."""

    methods: tuple[Method, ...] = ()
    suspended: tuple[Method, ...] = ()
    trusted: str = ""
    using: tuple[Change, ...] = ()
    trust_days: int = 0


class SecondSteps:
    def __init__(self, store: Reads, trust: Trust, requirement: Requirement) -> None:
        self._store = store
        self._trust = trust
        self._requirement = requirement

    async def ask(self, first: FirstStep) -> SecondStep:
        """Return what must be shown before a session may start."""
        account = first.account
        factors = confirmed(await self._store.list_factors(account.id))
        is_required = self._requirement.is_for(account, first.client.app)
        must_ask = first.is_unusual or is_required
        if not (factors or must_ask):
            return SecondStep()
        if factors and not must_ask:
            device = await self._trust.find(first.trusted, account, first.client, first.now, self._store)
            if device is not None:
                return SecondStep(trusted=device.id, using=(_using(account, device.id, first.now),))
        codes = await self._store.count_recovery_codes(account.id) if factors else 0
        return SecondStep(
            methods_to_finish(factors, codes),
            suspended=tuple(Method(factor.kind.value) for factor in suspended(factors)),
            trust_days=0 if is_required or not factors else self._trust.days,
        )

    async def may_trust(self, account: Account, client: ClientId) -> bool:
        """Whether the owner of this account may trust a device with this app after the second step."""
        if not self._trust.days or self._requirement.is_for(account, client.app):
            return False
        return bool(confirmed(await self._store.list_factors(account.id)))


def _using(account: Account, device_id: str, now: Millis) -> UseTrustedDevice:
    return UseTrustedDevice(
        device_id=device_id, account_id=account.id, security_version=account.security_version, now=now
    )
