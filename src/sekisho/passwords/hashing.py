"""The hash pool: the only place where password hashing happens.

Hashing is slow on purpose, so it has threads of its own, as many as cores, at a lower priority than
the event loop, and a bounded queue: a flood of logins makes logins wait, then answers "busy", and
never slows a refresh.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sekisho.errors import ServiceUnavailable, ValidationError
from sekisho.passwords.encoded import BCRYPT_MAX_BYTES, has_parameters, is_usable, make_dummy, make_hash, matches
from sekisho.passwords.foreign import parse_foreign
from sekisho.passwords.normal_form import normal_form
from sekisho.passwords.parameters import PROFILES, Bcrypt, Parameters
from sekisho.passwords.pepper import Peppers

_T = TypeVar("_T")

_NICENESS = 10
_WAITING_PER_THREAD = 32
_RETRY_AFTER_SECONDS = 2


class HashPool:
    """Hashes and verifies passwords without blocking the event loop.

    parameters: what new hashes cost; other encoded hashes verify too.
    peppers: what goes into new hashes, and what went into older ones.
    threads: default one a core that this process may use.
    max_waiting: how many may wait for a thread; default 32 a thread, about a second's work.
    """

    def __init__(
        self,
        parameters: Parameters = PROFILES["standard"],
        *,
        threads: int | None = None,
        max_waiting: int | None = None,
        peppers: Peppers | None = None,
    ) -> None:
        self._parameters = parameters
        self._peppers = peppers or Peppers()
        self._dummy = make_dummy(parameters)
        self.threads = threads or usable_cores()
        self._capacity = self.threads + (_WAITING_PER_THREAD * self.threads if max_waiting is None else max_waiting)
        self._executor = ThreadPoolExecutor(self.threads, "password-hash", initializer=_lower_priority)
        self._lock = threading.Lock()
        self._in_hand = 0
        self._is_closed = False

    @property
    def in_hand(self) -> int:
        """How many hashes run or wait now; for metrics."""
        return self._in_hand

    async def hash(self, password: str) -> str:
        """Return the encoded hash of a new password.

        Raises:
            ValidationError: `too_long` (also: more than 72 bytes under bcrypt, which would not see the
                rest), `control_characters`.
            ServiceUnavailable: the queue is full.
        """
        secret = self._peppers.applied(normal_form(password).encode())
        if isinstance(self._parameters, Bcrypt) and len(secret) > BCRYPT_MAX_BYTES:
            raise ValidationError(detail="more than 72 bytes under bcrypt", details={"password": "too_long"})
        return self._peppers.mark(await self._run(lambda: make_hash(secret, self._parameters)))

    async def verify(self, password: str, encoded: str | None) -> bool:
        """Say whether the password is the hash's, whole and exactly as typed but for NFKC.

        Without a usable hash (no account, no password set, a damaged one) the same work is done on a
        dummy and the answer is no: time must not tell whether an account exists.

        Raises:
            ValidationError: as `hash`, the limit of bcrypt excepted.
            ServiceUnavailable: the queue is full.
        """
        typed = normal_form(password).encode()
        inner, secret = (encoded and self._peppers.opened(encoded, typed)) or (None, typed)
        foreign = parse_foreign(inner) if inner else None
        if foreign is not None and await self._run(lambda: foreign.matches(password.encode())):
            return True
        # A wrong password costs at least as much as where there is no account, however cheap the other system's hash.
        if inner is None or not is_usable(inner, secret):
            await self._run(lambda: matches(_fitting(typed, self._parameters), self._dummy))
            return False
        return await self._run(lambda: matches(secret, inner))

    def needs_rehash(self, encoded: str) -> bool:
        """Whether a hash that just verified should be replaced by one of today's parameters."""
        inner = self._peppers.opened(encoded, b"")
        return not self._peppers.is_current(encoded) or inner is None or not has_parameters(inner[0], self._parameters)

    def close(self) -> None:
        """Finish the hashes that run, drop those that wait. Later calls are refused."""
        with self._lock:
            self._is_closed = True
        self._executor.shutdown(wait=True, cancel_futures=True)

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.wrap_future(self._submit(work))
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._is_closed and task is not None and not task.cancelling():
                raise ServiceUnavailable(detail="hash pool closed", retry_after=_RETRY_AFTER_SECONDS) from None
            raise

    def _submit(self, work: Callable[[], _T]) -> Future[_T]:
        with self._lock:
            if self._is_closed or self._in_hand >= self._capacity:
                raise ServiceUnavailable(detail="hash pool full or closed", retry_after=_RETRY_AFTER_SECONDS)
            future = self._executor.submit(work)
            self._in_hand += 1
        # Called once per future, however it ends: a waiting caller that goes away frees its place at once, a
        # running hash holds its place until it is done, whoever still listens.
        future.add_done_callback(self._let_go)
        return future

    def _let_go(self, _: Future[_T]) -> None:
        with self._lock:
            self._in_hand -= 1


def _fitting(secret: bytes, parameters: Parameters) -> bytes:
    """Cut what is only compared with a dummy to what the algorithm takes."""
    return secret[:BCRYPT_MAX_BYTES] if isinstance(parameters, Bcrypt) else secret


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _lower_priority() -> None:
    # On Linux the kernel schedules threads, and a thread's id names it to setpriority. Elsewhere the
    # same call would slow the whole process.
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
