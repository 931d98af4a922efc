"""The bare ASGI handler that everything is compared with: parse a small JSON body, answer a small JSON body.

    python -m bench.bare PORT

It runs under the same uvicorn with the same parser and event loop as the server: the floor that no application
on this stack can get below.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from msgspec import Struct, json


class Asked(Struct):
    refresh_token: str
    client_id: str


class Answered(Struct):
    client_id: str
    expires_in: int
    token_type: str = "Bearer"  # noqa: S105 - a word, not a token


_decode = json.Decoder(Asked).decode
_encode = json.Encoder().encode


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    message = await receive()
    body = message["body"]
    while message.get("more_body", False):
        message = await receive()
        body += message["body"]
    asked = _decode(body)
    answer = _encode(Answered(asked.client_id, 900))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def main() -> None:
    config = uvicorn.Config(
        application,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
