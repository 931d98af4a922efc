"""The routes of whoever runs the server: keys, health and figures; in development, what was sent."""

from __future__ import annotations

from sekisho import errors
from sekisho.http import dev_mail, operations, token_wire, wire
from sekisho.http.routes.route import Route

OPERATIONS: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/.well-known/jwks.json",
        endpoint=operations.jwks_endpoint,
        summary="The keys that access tokens may be verified with",
        answer=token_wire.JwksView,
    ),
    Route(
        method="GET",
        path="/healthz",
        endpoint=operations.health_endpoint,
        summary="The process answers",
        answer=wire.HealthView,
    ),
    Route(
        method="GET",
        path="/readyz",
        endpoint=operations.ready_endpoint,
        summary="The store answers and a signing key is there",
        answer=wire.HealthView,
    ),
    Route(
        method="GET",
        path="/metrics",
        endpoint=operations.metrics_endpoint,
        summary="Figures for Prometheus; to loopback only",
        refusals=(errors.NotFound,),
    ),
)

DEV_ROUTES: tuple[Route, ...] = (
    Route(
        method="GET",
        path="/dev/mail.json",
        endpoint=dev_mail.dev_mail_endpoint,
        summary="Caught mail, newest first",
    ),
    Route(
        method="GET",
        path="/dev/sms.json",
        endpoint=dev_mail.dev_sms_endpoint,
        summary="Caught text messages, newest first",
    ),
)
