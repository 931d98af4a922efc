"""The routes, one table: method, path, endpoint, who may call, which limits, which answers and refusals.

The OpenAPI document, the docs page and the tests are made from this table. Its rows stand by who asks for what:

    entrance     not signed in: sign-in, sign-up, password reset
    sessions     refresh, the list of sessions, and what ends them
    factors      step-up, second factors, trusted devices
    account      history, profile, password, address, withdrawal
    guards       the services behind this one
    operations   keys, health, figures; what `dev` has beside them
    route        what a row is
"""

from __future__ import annotations

from sekisho.http.routes.account import ACCOUNT
from sekisho.http.routes.entrance import ENTRANCE
from sekisho.http.routes.factors import FACTORS
from sekisho.http.routes.guards import GUARDS
from sekisho.http.routes.operations import DEV_ROUTES, OPERATIONS
from sekisho.http.routes.route import (
    ANY_CREDENTIAL,
    ANYBODY,
    API,
    COMMON,
    GUARD,
    NO_ROUTE,
    OF_BODIES,
    OF_SESSION,
    SESSION,
    TOKEN_OR_COOKIE,
    Endpoint,
    Route,
    refusals_of,
)
from sekisho.http.routes.sessions import SESSIONS

__all__ = [
    "ANYBODY",
    "ANY_CREDENTIAL",
    "API",
    "COMMON",
    "DEV_ROUTES",
    "GUARD",
    "NO_ROUTE",
    "OF_BODIES",
    "OF_SESSION",
    "ROUTES",
    "SESSION",
    "TOKEN_OR_COOKIE",
    "Endpoint",
    "Route",
    "refusals_of",
]

ROUTES: tuple[Route, ...] = (*ENTRANCE, *SESSIONS, *FACTORS, *ACCOUNT, *GUARDS, *OPERATIONS)
