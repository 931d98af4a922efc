"""The bundle that every operator's flow stands on."""

from __future__ import annotations

from msgspec import Struct

from sekisho.master_secret import MasterSecret
from sekisho.not_me_codes import NotMeCodes
from sekisho.outbox import Outbox
from sekisho.passwords.hashing import HashPool
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.screening import Screening
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Store
from sekisho.throttle import Throttle


class OperatorWorld(Struct, frozen=True, kw_only=True):
    """journal_ms: how long an access token can outlive its session's end at most, whatever the settings.
    verify_for_ms: how long a retired signing key still verifies. signing_algorithm: of keys made from now on."""

    store: Store
    clock: Clock
    master: MasterSecret
    passwords: HashPool
    policy: PasswordPolicy
    screening: Screening
    throttle: Throttle
    outbox: Outbox
    not_me: NotMeCodes
    journal_ms: int
    signing_algorithm: str
    verify_for_ms: int
