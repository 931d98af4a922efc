"""What types cannot say: rules between settings, and what production demands.

Each rule reads the whole settings and yields what is wrong, by path. All rules run, so that one
start shows every mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sekisho.settings.model import Settings
from sekisho.settings.rules.accounts import (
    aal2_session_rule,
    breached_rule,
    places_file_rule,
    required_factors_rule,
    session_rule,
)
from sekisho.settings.rules.edges import (
    allowed_origins_rule,
    metrics_rule,
    product_name_rule,
    public_url_rule,
    trusted_proxies_rule,
)
from sekisho.settings.rules.fault import Fault
from sekisho.settings.rules.outgoing import alerts_rule, audit_rule, mail_rule, sms_rule
from sekisho.settings.rules.secrets import jwt_rule, pepper_rule, secret_rule
from sekisho.settings.rules.stores import database_rule, redis_rule, workers_rule


def faults(settings: Settings) -> Iterator[Fault]:
    """Yield every broken rule."""
    for rule in _RULES:
        yield from rule(settings)


_RULES: tuple[Callable[[Settings], Iterator[Fault]], ...] = (
    secret_rule,
    pepper_rule,
    breached_rule,
    public_url_rule,
    database_rule,
    redis_rule,
    audit_rule,
    allowed_origins_rule,
    trusted_proxies_rule,
    jwt_rule,
    session_rule,
    aal2_session_rule,
    mail_rule,
    sms_rule,
    alerts_rule,
    metrics_rule,
    workers_rule,
    places_file_rule,
    product_name_rule,
    required_factors_rule,
)
