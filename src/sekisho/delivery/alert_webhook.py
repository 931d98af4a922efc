"""Alerts to an https address of the operator's: a batch is one signed POST.

    POST <url>
    Content-Type: application/json
    Sekisho-Signature: t=<seconds>,v1=<hex>            HMAC-SHA256 of "<seconds>.<body>" under the secret

    {"alerts": [{"severity": …, "event": …, "reason": …, "at": …, "account_id": …, …}, …]}

Any 2xx means taken; everything else, a redirect too, is tried again.

Spec: ASVS 4.1.5 (signed messages).
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.delivery.https_post import HttpsPost, PostFailed
from sekisho.delivery.sms_webhook import SIGNATURE_HEADER, sign
from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable
from sekisho.ports.clock import Clock

# A batch of the trail is then posted in a few requests, whose time together a slow receiver may use up.
MOST_IN_ONE = 200


class AlertWebhook:
    """An `AuditSink` over HTTP, for lines that are alerts."""

    def __init__(self, post: HttpsPost, secret: str, clock: Clock) -> None:
        self._post = post
        self._secret = secret
        self._clock = clock

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        for first in range(0, len(lines), MOST_IN_ONE):
            await self._send(
                b'{"alerts":[' + b",".join(line.json for line in lines[first : first + MOST_IN_ONE]) + b"]}"
            )

    async def _send(self, body: bytes) -> None:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Sekisho",
            SIGNATURE_HEADER: sign(self._secret, body, self._clock.now() // 1000),
        }
        try:
            status = await self._post.post(body, headers)
        except (PostFailed, OSError, TimeoutError) as error:
            # The type alone: a text may hold the address.
            raise SinkUnavailable(type(error).__name__) from None
        if not 200 <= status <= 299:
            raise SinkUnavailable(f"HTTP {status}")

    async def close(self) -> None:
        """Each POST has a connection of its own: there is nothing to close."""
