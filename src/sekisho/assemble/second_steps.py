"""The flows of the second step, wired."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import TypedDict

from sekisho.assemble.parts import Parts
from sekisho.devices import DeviceReader
from sekisho.factor_owner import FactorsWorld
from sekisho.flows.second_factor import SecondFactorWorld
from sekisho.flows.step_up import StepUpWorld
from sekisho.flows.trusted_devices import TrustedDevicesWorld
from sekisho.mfa.challenges import Challenges
from sekisho.mfa.letters import CodeSender
from sekisho.mfa.phones import Phones
from sekisho.mfa.proofs import Proofs, ProofTools
from sekisho.mfa.recovery import RecoveryCodes
from sekisho.mfa.requirement import Requirement
from sekisho.mfa.second_step import SecondSteps as SecondStepRules
from sekisho.mfa.totp import TotpKeys
from sekisho.mfa.trust import Trust
from sekisho.model import FactorKind
from sekisho.notices import Notices
from sekisho.one_time_codes import OneTimeCodes
from sekisho.ports.storage import Store
from sekisho.sessions import Sessions
from sekisho.settings import Settings


class SecondSteps(TypedDict):
    """By the names that the edge has for them."""

    second_factor: SecondFactorWorld
    step_up: StepUpWorld
    factors: FactorsWorld
    trusted_devices: TrustedDevicesWorld


def trust_of(have: Parts, devices: DeviceReader) -> Trust:
    """Return the trust in devices, as the settings have it."""
    return Trust(have.master, devices, have.settings.factors.trusted_days)


def requirement_of(have: Parts) -> Requirement:
    """Return of whom a second factor is required, as the settings have it."""
    factors = have.settings.factors
    return Requirement(roles=frozenset(factors.required_roles), apps=frozenset(factors.required_clients))


def second_steps(have: Parts, store: Store, sessions: Sessions, notices: Notices, trust: Trust) -> SecondSteps:
    """Return what the three flows stand on; they share the makers of codes and keys."""
    settings, clock = have.settings, have.clock
    codes, recovery = OneTimeCodes(have.master), RecoveryCodes(have.master)
    totp = TotpKeys(have.master, settings.product_name)
    phones = Phones(have.master, _reader(settings))
    sender = CodeSender(codes, have.outbox, have.throttle, phones)
    proofs = Proofs(
        ProofTools(
            store=store,
            totp=totp,
            recovery=recovery,
            codes=codes,
            max_code_tries=have.throttle.limits.code_tries_per_code,
        )
    )
    fresh_ms = settings.factors.fresh_minutes * 60_000
    return SecondSteps(
        second_factor=SecondFactorWorld(
            store=store,
            clock=clock,
            challenges=Challenges(have.master),
            second_steps=SecondStepRules(store, trust, requirement_of(have)),
            trust=trust,
            proofs=proofs,
            sender=sender,
            throttle=have.throttle,
            notices=notices,
            sessions=sessions,
        ),
        step_up=StepUpWorld(
            store=store,
            clock=clock,
            passwords=have.passwords,
            proofs=proofs,
            sender=sender,
            throttle=have.throttle,
            notices=notices,
            sessions=sessions,
            fresh_ms=fresh_ms,
        ),
        trusted_devices=TrustedDevicesWorld(store=store, clock=clock, trust=trust),
        factors=FactorsWorld(
            store=store,
            clock=clock,
            totp=totp,
            phones=phones,
            recovery=recovery,
            proofs=proofs,
            sender=sender,
            throttle=have.throttle,
            notices=notices,
            sessions=sessions,
            fresh_ms=fresh_ms,
            allowed=frozenset(FactorKind(kind) for kind in settings.factors.kinds),
        ),
    )


def _reader(settings: Settings) -> Callable[[str], str] | None:
    """What reads phone numbers of where text messages go. People enrolled before go on getting theirs when `sms` is
    offered no more."""
    countries = settings.sms.countries
    if not countries:
        return None
    numbers = import_module("sekisho.phone_numbers")
    return partial(numbers.parse_phone_number, served=numbers.ServedCountries(frozenset(countries), countries[0]))
