"""A POST that its receiver can hold to be ours: JSON, signed with the time under a secret of both.

    Content-Type: application/json
    Sekisho-Signature: t=<seconds>,v1=<hex>            HMAC-SHA256 of "<seconds>.<body>" under the secret

Spec: ASVS 4.1.5 (signed messages).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from types import MappingProxyType

from sekisho.delivery.webhooks.https_post import HttpsPost
from sekisho.ports.clock import Clock

SIGNATURE_HEADER = "Sekisho-Signature"
_NO_MORE: Mapping[str, str] = MappingProxyType({})


class SignedPost:
    """Posts JSON to one address. `secret` is shared with the receiver only."""

    def __init__(self, post: HttpsPost, secret: str, clock: Clock) -> None:
        self._post = post
        self._secret = secret
        self._clock = clock

    async def send(self, body: bytes, headers: Mapping[str, str] = _NO_MORE) -> int:
        """Return the status of the answer. Raises as `HttpsPost.post`."""
        signature = _sign(self._secret, body, self._clock.now() // 1000)
        whole = {"Content-Type": "application/json", "User-Agent": "Sekisho", SIGNATURE_HEADER: signature, **headers}
        return await self._post.post(body, whole)


def _sign(secret: str, body: bytes, at_s: int) -> str:
    """Return the value of the signature header: a receiver refuses what is older than a few minutes."""
    tag = hmac.digest(secret.encode(), b"%d." % at_s + body, "sha256")
    return f"t={at_s},v1={tag.hex()}"
