"""Parts: what stands on the settings alone."""

from __future__ import annotations

import time

from msgspec import Struct

from sekisho.delivery.breached_ranges import RangesOverHttp
from sekisho.master_secret import MasterSecret
from sekisho.model import Millis
from sekisho.outbox import Outbox
from sekisho.passwords.breached import BreachedFile
from sekisho.passwords.hashing import HashPool, usable_cores
from sekisho.passwords.parameters import PROFILES
from sekisho.passwords.pepper import Peppers
from sekisho.passwords.policy import PasswordPolicy
from sekisho.passwords.screening import Screening
from sekisho.ports.clock import Clock
from sekisho.revocations import JOURNAL_MS
from sekisho.settings import Settings
from sekisho.throttle import Limits, Throttle


class SystemClock:
    def now(self) -> Millis:
        return time.time_ns() // 1_000_000


class Parts(Struct, frozen=True, kw_only=True):
    """What stands on the settings alone. Whoever asked for it calls `close`."""

    settings: Settings
    clock: Clock
    master: MasterSecret
    passwords: HashPool
    policy: PasswordPolicy
    screening: Screening
    throttle: Throttle
    outbox: Outbox
    access_ms: int

    def close(self) -> None:
        """Finish the hashes that run; let go of files and threads."""
        self.passwords.close()
        self.screening.close()

    @property
    def journal_ms(self) -> int:
        return JOURNAL_MS


def parts(settings: Settings, clock: Clock | None = None) -> Parts:
    """Return the parts for these settings."""
    master = MasterSecret(settings.master_secret)
    # First, as a file that cannot be used stops the start before a thread of the pool runs.
    file = settings.password.breached_file
    breached_file = None if file is None else BreachedFile(file)
    passwords = HashPool(
        PROFILES[settings.password.hash],
        threads=_hash_threads(settings),
        max_waiting=settings.password.queue,
        peppers=_peppers(settings),
    )
    return Parts(
        settings=settings,
        clock=clock or SystemClock(),
        master=master,
        passwords=passwords,
        policy=PasswordPolicy(
            settings.password.profile,
            (settings.product_name, "sekisho", *settings.password.context_words),
            min_score=settings.password.min_score,
            history=settings.password.history,
        ),
        screening=Screening(passwords, file=breached_file, ranges=_ranges(settings)),
        throttle=Throttle(master, _limits(settings)),
        outbox=Outbox(master),
        access_ms=settings.jwt.access_minutes * 60_000,
    )


def _hash_threads(settings: Settings) -> int:
    """The workers of one node share its cores out; more threads than cores only where somebody chose it."""
    return settings.password.threads or max(1, usable_cores() // settings.workers)


def _ranges(settings: Settings) -> RangesOverHttp | None:
    password = settings.password
    return RangesOverHttp(password.breached_url, password.breached_timeout_ms) if password.breached_url else None


def _peppers(settings: Settings) -> Peppers:
    given = (settings.password.pepper, settings.password.previous_pepper)
    return Peppers(*(None if pepper is None else pepper.get_secret_value().encode() for pepper in given))


def _limits(settings: Settings) -> Limits:
    limits = settings.limits
    return Limits(
        login_failures_per_identifier_and_network=limits.login_failures,
        login_failures_per_network=limits.login_network_failures,
        login_window_seconds=limits.login_minutes * 60,
        login_failures_per_identifier_a_day=limits.login_failures_per_day,
        code_sends_per_address=limits.code_sends,
        code_sends_per_address_a_day=limits.code_sends_per_day,
        code_sends_per_network=limits.code_network_sends,
        code_sends_window_seconds=limits.code_minutes * 60,
        code_tries_per_code=limits.code_tries,
        wrong_codes_per_address_a_day=limits.code_failures_per_day,
        factor_failures_per_account_and_network=limits.factor_failures,
        factor_failures_per_account_a_day=limits.factor_failures_per_day,
        sms_per_number=settings.sms.number_sends,
        sms_per_number_a_day=settings.sms.number_sends_per_day,
        sms_per_account_a_day=settings.sms.account_sends_per_day,
        sms_per_network_a_day=settings.sms.network_sends_per_day,
        sms_a_day=settings.sms.sends_per_day,
    )
