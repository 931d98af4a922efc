"""The generic gateway for text messages: each is one signed POST to an https address of the operator's.

    POST <url>
    Content-Type: application/json
    <header>: <token>                                  only if a token is set
    Idempotency-Key: <id>                              the same at every retry
    Sekisho-Signature: …                               see `signed_post`

    {"id": …, "to": "+81…", "text": …, "from": …}

Any 2xx means accepted. 400, 413, 415 and 422 mean never; everything else is tried again as long as the code lives.

Spec: RFC 9110 section 15.
"""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from sekisho.delivery.webhooks.signed_post import SignedPost
from sekisho.model import Discreet
from sekisho.ports.mail import SmsRefused, TextMessage

_NEVER = frozenset({400, 413, 415, 422})


class GatewayRefuses(Exception):
    """The gateway answered, but not that it will send. `code` is its status."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class WebhookSettings(Discreet, frozen=True, kw_only=True):
    """token: goes into `header` as it is; "" for none. sender: what the receiver shall send from; "" leaves it to the
    receiver."""

    token: str = ""
    header: str = "Authorization"
    sender: str = ""


class _Body(Discreet, frozen=True):
    id: str
    to: str
    text: str
    sender: str | UnsetType = msgspec.field(default=UNSET, name="from")


class SmsWebhook:
    """An `SmsGateway` over HTTP."""

    def __init__(self, post: SignedPost, settings: WebhookSettings) -> None:
        self._post = post
        self._settings = settings

    async def send(self, message: TextMessage, message_id: str) -> None:
        """Hand over one message.

        Raises:
            SmsRefused: the receiver will never send it.
            GatewayRefuses, PostFailed, OSError, TimeoutError: temporary. A redirect is one: it is not followed.
        """
        settings = self._settings
        body = msgspec.json.encode(_Body(message_id, message.to, message.text, settings.sender or UNSET))
        headers = {"Idempotency-Key": message_id}
        if settings.token:
            headers[settings.header] = settings.token
        status = await self._post.send(body, headers)
        if status in _NEVER:
            raise SmsRefused(f"HTTP {status}")
        if not 200 <= status <= 299:
            raise GatewayRefuses(status)
