"""What operators and verifiers read: keys, health, readiness, metrics, the OpenAPI document."""

from __future__ import annotations

from ipaddress import ip_address

from sekisho.errors import NotFound, ServiceUnavailable
from sekisho.http.answer import JSON, Answer, json_answer
from sekisho.http.call import Call
from sekisho.http.wire import HealthView

# Verifiers may keep the keys this long; a compromised one is refused by all within a minute. A new key is published
# much longer before its first use.
JWKS_CACHING = b"public, max-age=30, stale-if-error=86400"


async def jwks_endpoint(call: Call) -> Answer:
    return Answer(200, call.edge.jwks(), JSON, ((b"cache-control", JWKS_CACHING),))


async def health_endpoint(call: Call) -> Answer:
    """The process runs and answers."""
    return json_answer(HealthView("ok"))


async def ready_endpoint(call: Call) -> Answer:
    """The store answers and a key to sign with is there."""
    if not await call.edge.is_ready():
        raise ServiceUnavailable(detail="not ready", retry_after=1)
    return json_answer(HealthView("ready"))


async def metrics_endpoint(call: Call) -> Answer:
    """On the main port to loopback only, and never through a proxy."""
    if not call.edge.settings.metrics_on_main_port or not _is_direct_loopback(call):
        raise NotFound(detail="metrics are not shown here")
    figures = call.edge.metrics.render(await call.edge.counts())
    return Answer(200, figures, b"text/plain; version=0.0.4; charset=utf-8")


def _is_direct_loopback(call: Call) -> bool:
    if not call.is_for_this_machine or any(
        name in call.headers for name in (b"x-forwarded-for", b"forwarded", b"x-real-ip")
    ):
        return False
    peer = (call.scope.get("client") or ("", 0))[0]
    try:
        return ip_address(peer).is_loopback
    except ValueError:
        return False
