"""Alerts to an https address of the operator's: a batch is one signed POST.

    POST <url>
    Content-Type: application/json
    Sekisho-Signature: …                               see `signed_post`

    {"alerts": [{"severity": …, "event": …, "reason": …, "at": …, "account_id": …, …}, …]}

Any 2xx means taken; everything else, a redirect too, is tried again.
"""

from __future__ import annotations

from collections.abc import Sequence

from sekisho.delivery.webhooks.https_post import PostFailed
from sekisho.delivery.webhooks.signed_post import SignedPost
from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable

# A batch of the trail is then posted in a few requests, whose time together a slow receiver may use up.
MOST_IN_ONE = 200


class AlertWebhook:
    """An `AuditSink` over HTTP, for lines that are alerts."""

    def __init__(self, post: SignedPost) -> None:
        self._post = post

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        for first in range(0, len(lines), MOST_IN_ONE):
            await self._send(
                b'{"alerts":[' + b",".join(line.json for line in lines[first : first + MOST_IN_ONE]) + b"]}"
            )

    async def _send(self, body: bytes) -> None:
        try:
            status = await self._post.send(body)
        except (PostFailed, OSError, TimeoutError) as error:
            # The type alone: a text may hold the address.
            raise SinkUnavailable(type(error).__name__) from None
        if not 200 <= status <= 299:
            raise SinkUnavailable(f"HTTP {status}")

    async def close(self) -> None:
        """Each POST has a connection of its own: there is nothing to close."""
