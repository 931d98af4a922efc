"""Reading a body that does not come with its head: in pieces, or never."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from sekisho.errors import PayloadTooLarge
from sekisho.http.body import BODY_LIMIT_BYTES, read_bytes

pytestmark = pytest.mark.anyio


async def test_a_body_that_comes_in_pieces_is_read_whole() -> None:
    pieces: asyncio.Queue[bytes] = asyncio.Queue()

    async def receive() -> Mapping[str, Any]:
        piece = await pieces.get()
        return {"type": "http.request", "body": piece, "more_body": bool(piece)}

    reading = asyncio.create_task(read_bytes(receive, None))
    for piece in (b"a", b"bc", b"d", b""):
        await asyncio.sleep(0)
        pieces.put_nowait(piece)
    assert await reading == b"abcd"


async def test_a_body_that_grows_too_large_is_refused_while_it_comes() -> None:
    async def receive() -> Mapping[str, Any]:
        await asyncio.sleep(0)
        return {"type": "http.request", "body": bytes(BODY_LIMIT_BYTES // 2), "more_body": True}

    with pytest.raises(PayloadTooLarge):
        await read_bytes(receive, None)


async def test_whoever_waits_for_a_body_hears_that_nobody_wants_it_any_more() -> None:
    heard: list[type[BaseException]] = []

    async def receive() -> Mapping[str, Any]:
        try:
            return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]
        except BaseException as error:
            heard.append(type(error))
            raise

    reading = asyncio.create_task(read_bytes(receive, None))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert heard == [asyncio.CancelledError]
