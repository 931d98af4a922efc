"""Revokes tokens that nobody has: `python -m bench.revoking PORT KEY AT_ONCE A_SECOND`, until it is ended.

Prints a line when the first ones are in.
"""

from __future__ import annotations

import asyncio
import secrets
import sys
import time

LINES = 8


async def main(port: int, key: str, at_once: int, a_second: int) -> None:
    lines = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LINES)]
    await asyncio.gather(*(_revoke(*line, key, at_once // LINES, 0) for line in lines))
    sys.stdout.write("in\n")
    sys.stdout.flush()
    await asyncio.gather(*(_revoke(*line, key, None, a_second / LINES) for line in lines))


async def _revoke(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str, count: int | None, a_second: float
) -> None:
    begun, sent = time.monotonic(), 0
    while count is None or sent < count:
        if a_second:
            await asyncio.sleep(max(0.0, begun + sent / a_second - time.monotonic()))
        body = b'{"jti":"%b"}' % secrets.token_urlsafe(16).encode()
        writer.write(
            b"POST /api/v1/auth/tokens/revoke HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/json\r\n"
            b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b" % (key.encode(), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise RuntimeError(head[:40])
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        sent += 1


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
