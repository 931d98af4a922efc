"""The guard: verifying cold and warm, revocations in memory and on their way, a FastAPI route with and without it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import cycle
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Struct, json

from bench.measure import FULL, SATURATING_USERS, saturate
from bench.processes import ROOT, free_port, started
from bench.requests import get
from bench.rows import Aim, Row
from bench.scripts import Taking, must_contain
from bench.setting import Setting
from bench.site import CLIENT_ID, PUBLIC_URL
from sekisho.errors import SessionRevoked
from sekisho.guard import Verifier
from sekisho.guard.revoked import Revocation, Revoked
from sekisho.model import KeyState
from sekisho.rfc import base64url
from sekisho.rfc.jwk import parse_jwk
from sekisho.tokens.refresh_token import RefreshTokens

VERIFIED = 2000
ENTRIES = 100_000
WAITING = 10_000
A_SECOND = 1000
SAMPLES = 300
POLL_S = 0.0002
LONGEST_S = 10.0
ROUTE = "/guarded"


class _Key(Struct):
    text: str


async def run(setting: Setting) -> list[Row]:
    tokens = list(setting.site.access_tokens(_some(setting, VERIFIED)))
    rows = await asyncio.to_thread(_verified, setting, tokens)
    rows.append(await asyncio.to_thread(_memory))
    rows += await asyncio.to_thread(_arrivals, setting)
    rows += await _routes(setting, tokens[0])
    return rows


def _verified(setting: Setting, tokens: list[str]) -> list[Row]:
    """Processor time of one call, in this process, against the signature check that the library alone takes."""
    verifier = Verifier(
        PUBLIC_URL, PUBLIC_URL, server_url=f"http://127.0.0.1:{setting.server.port}", cache_size=VERIFIED
    )
    verifier.verify(tokens[0])
    alone, cold, warm = _least_us(
        [
            _signatures_alone(setting, tokens),
            lambda: _forgetting(verifier, tokens),
            lambda: [verifier.verify(token) for token in tokens],
        ],
        len(tokens),
    )
    return [
        Row(id="guard: signature alone", cpu_us=alone),
        Row(id="guard: verify, cold", cpu_us=cold, aims=(Aim("signature_cpu", 1.4, cold / alone),)),
        Row(id="guard: verify, warm", cpu_us=warm, aims=(Aim("warm_us", 3.0, warm),)),
    ]


def _forgetting(verifier: Verifier, tokens: list[str]) -> None:
    verifier._cache.clear()
    for token in tokens:
        verifier.verify(token)


def _signatures_alone(setting: Setting, tokens: list[str]) -> Callable[[], object]:
    active = next(key for key in setting.site.keys if key.state is KeyState.ACTIVE)
    public = parse_jwk(active.public_jwk)
    numbers = [int.from_bytes(base64url.decode(public.members[name], 32), "big") for name in ("x", "y")]
    key = ec.EllipticCurvePublicNumbers(*numbers, ec.SECP256R1()).public_key()
    signed = []
    for token in tokens:
        head, _, signature = token.rpartition(".")
        raw = base64url.decode(signature, 64)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        signed.append((der, head.encode()))
    algorithm = ec.ECDSA(SHA256())
    return lambda: [key.verify(der, data, algorithm) for der, data in signed]


def _least_us(works: list[Callable[[], object]], count: int) -> list[float]:
    """By turns, so that what else the machine does meets all of them alike."""
    rounds = [[_thread_s(work) for work in works] for _ in range(7)]
    return [min(each) / count * 1e6 for each in zip(*rounds, strict=True)]


def _thread_s(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def _memory() -> Row:
    until = datetime(2099, 1, 1, tzinfo=UTC)
    tracemalloc.start()
    try:
        revoked = Revoked()
        for number in range(ENTRIES):
            revoked.add((Revocation(number, "sid", base64url.encode(number.to_bytes(16, "big")), until),))
        return Row(
            id="guard: 100,000 revocations", aims=(Aim("heap_mb", None, tracemalloc.get_traced_memory()[0] / 1e6),)
        )
    finally:
        tracemalloc.stop()


def _arrivals(setting: Setting) -> list[Row]:
    """Time from sending a logout to the guard's first refusal: the call, its commit and the way of the word."""
    key = _guard_key(setting, "arrivals")
    url = f"http://127.0.0.1:{setting.server.port}"
    verifier = Verifier(PUBLIC_URL, PUBLIC_URL, server_url=url, feed_key=key)
    count = SAMPLES if setting.plan is FULL else SAMPLES // 5
    sessions = Random(2).sample(setting.site.body_sessions[-len(setting.site.body_sessions) // 4 :], 2 * count)  # noqa: S311
    try:
        quiet = _took_ms(setting, verifier, sessions[:count])
        with _revoking(setting, key):
            begun, known = time.perf_counter(), verifier.health().revocations
            loaded = _took_ms(setting, verifier, sessions[count:])
            a_second = (verifier.health().revocations - known) / (time.perf_counter() - begun)
    finally:
        verifier.close()
    return [
        _arrival("revocation in a guard", quiet, 50, None),
        _arrival("revocation in a guard, 1,000 a second", loaded, 250, a_second),
    ]


def _arrival(name: str, took_ms: list[float], limit: float, per_second: float | None) -> Row:
    """per_second: how many revocations arrived in all while it was measured."""
    ordered = sorted(took_ms)
    p99 = ordered[int(len(ordered) * 0.99)]
    return Row(
        id=name, per_second=per_second, p50_ms=ordered[len(ordered) // 2], p99_ms=p99, aims=(Aim("p99_ms", limit, p99),)
    )


def _took_ms(setting: Setting, verifier: Verifier, sessions: list[int]) -> list[float]:
    minter = RefreshTokens(setting.site.master())
    found = []
    line = HTTPConnection("127.0.0.1", setting.server.port)
    for session, token in zip(sessions, list(setting.site.access_tokens(sessions)), strict=True):
        verifier.verify(token)
        body = json.encode({"refresh_token": setting.site.refresh_token(session, minter), "client_id": CLIENT_ID})
        begun = time.perf_counter()
        line.request("POST", "/api/v1/auth/logout", body, {"Content-Type": "application/json"})
        answer = line.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"logout answered {answer.status}")
        while _is_good(verifier, token):
            if time.perf_counter() - begun > LONGEST_S:
                raise RuntimeError("the guard never heard of a logout")
            time.sleep(POLL_S)
        found.append((time.perf_counter() - begun) * 1000)
    line.close()
    return found


def _is_good(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except SessionRevoked:
        return False
    return True


def _guard_key(setting: Setting, name: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-m", "sekisho", "--production", "guard-key", "add", f"{name}-{os.getpid()}", "--json"],
        cwd=setting.site.folder,
        env={**os.environ, **setting.site.environment(setting.server.port, setting.smtp_port)},
        capture_output=True,
        check=True,
    )
    return json.decode(done.stdout, type=_Key).text


@contextmanager
def _revoking(setting: Setting, key: str) -> Iterator[None]:
    """Let another process revoke: first `WAITING` at once, then `A_SECOND` a second until the block ends."""
    words = [sys.executable, "-m", "bench.revoking", str(setting.server.port), key, str(WAITING), str(A_SECOND)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)  # noqa: S603 - our own words
    try:
        assert process.stdout is not None
        process.stdout.readline()  # the first ones are in
        yield
        if process.poll() is not None:
            raise RuntimeError("whoever revoked has ended")
    finally:
        process.terminate()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def _routes(setting: Setting, token: str) -> list[Row]:
    port = free_port()
    environment = {
        "ISSUER": PUBLIC_URL,
        "SERVER_URL": f"http://127.0.0.1:{setting.server.port}",
        "GUARD_KEY": await asyncio.to_thread(_guard_key, setting, "routes"),
    }
    words = ["uvicorn", "bench.guarded_app:app", "--port", str(port), "--log-level", "warning", "--no-access-log"]
    probe = get("/bare")
    core = setting.cores.second_server
    with started(words, port, setting.folder, core, environment, probe) as api:
        rows = []
        for name, path in (("FastAPI route, no guard", "/bare"), ("FastAPI route, guard", ROUTE)):
            same = cycle([(get(path, f"Authorization: Bearer {token}"), b"ok")])
            users = [Taking(same, must_contain) for _ in range(SATURATING_USERS)]
            most = await saturate(api, users, setting.plan)
            rows.append(
                Row(
                    id=name,
                    per_second=most.per_second,
                    cpu_us=most.cpu_us,
                    p50_ms=most.p50_ms,
                    p99_ms=most.p99_ms,
                    driver_busy=most.driver_busy,
                    violations=dict(most.violations),
                )
            )
        return rows


def _some(setting: Setting, count: int) -> list[int]:
    return Random(3).sample(setting.site.body_sessions, min(count, len(setting.site.body_sessions)))  # noqa: S311
