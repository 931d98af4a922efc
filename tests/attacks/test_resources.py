"""Input that is meant to cost more than it should: deep, long, compressed, slow to parse."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest

from http_site import API, Site
from same_work import shortest_s

pytestmark = pytest.mark.anyio

LOGIN = f"{API}/auth/login"
JSON = {"content-type": "application/json"}
LONGEST_PAUSE_S, MOST_TRIES = 0.05, 12
HEAVY = {
    "deep_lists": b"[" * 60_000,
    "deep_objects": b'{"a":' * 12_000,
    "many_keys": b"{" + b",".join(b'"k%d":1' % number for number in range(6_000)) + b"}",
    "huge_integer": b'{"email": ' + b"9" * 60_000 + b"}",
    "huge_exponent": b'{"email": 1e999999999}',
    "many_escapes": b'{"email": "' + b"\\u0061" * 10_000 + b'"}',
    "colliding_quotes": b'{"email": "' + b"\\\\" * 30_000 + b'"}',
    "not_a_number": b'{"email": NaN}',
    "multipart": b"--x\r\n" + b'Content-Disposition: form-data; name="a"\r\n\r\n' * 1_000,
    "gzip_bomb": gzip.compress(b"a" * 20_000_000),
}


async def longest_pause(stop: asyncio.Event) -> float:
    """Return the longest time for which the event loop let nobody else run."""
    longest = 0.0
    while not stop.is_set():
        started = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - started)
    return longest


async def test_KA_111_FS_17_V1_3_12_no_body_holds_the_event_loop(site: Site) -> None:
    app = site.client()
    await app.inner.post(LOGIN, content=b"{}", headers=JSON)

    for name, body in HEAVY.items():
        pauses = []
        # The shortest of several: another process may have held the machine.
        for _ in range(MOST_TRIES):
            stop = asyncio.Event()
            watching = asyncio.create_task(longest_pause(stop))
            await asyncio.sleep(0)
            headers = JSON | ({"content-encoding": "gzip"} if name == "gzip_bomb" else {})
            answer = await app.inner.post(LOGIN, content=body, headers=headers)
            stop.set()
            pauses.append(await watching)
            assert answer.status_code in (400, 413, 415), name
            if min(pauses) < LONGEST_PAUSE_S:
                break
        assert min(pauses) < LONGEST_PAUSE_S, name


async def test_KA_111_a_form_of_parts_is_never_parsed(site: Site) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n'

    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/mixed", "application/json, a/b"):
        answer = await site.client().inner.post(LOGIN, content=part * 1_000, headers={"content-type": kind})
        assert answer.status_code == 415, kind


async def test_KA_010_FS_18_V4_2_5_long_headers_are_refused_with_words(site: Site) -> None:
    app = site.client()
    for headers in (
        {"cookie": "a=" + "b" * 40_000},
        {"authorization": "Bearer " + "a" * 9_000},
        {"cookie": "; ".join(f"sekisho-s-a{number}=sks_x" for number in range(900))},
        {"accept-language": "en;q=0.5," * 3_000},
        {"x-forwarded-for": "1.1.1.1," * 3_000},
    ):

        async def ask(headers: dict[str, str] = headers) -> None:
            answer = await app.inner.get(f"{API}/auth/session", headers=headers)
            assert answer.status_code in (400, 401)

        assert await shortest_s(ask, within_s=0.1) < 0.1
