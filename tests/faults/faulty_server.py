"""`python faulty_server.py <point>:<count> serve`: the real server, which kills itself the count-th time it gets there.

    rotation.before_write    the rotation is about to be written
    rotation.before_commit   it is written, its transaction is not committed
    rotation.before_answer   it is committed, its caller has heard nothing
    checkpoint.write         SQLite copies a page of its log into the database file

The points are put around the server from outside, so that no setting and no variable can switch one on in a server
that is installed: there is nothing to switch. On PostgreSQL a rotation is one statement that commits by itself, and has
no second point; with the session engine the first stands before Redis is asked.

    clock    no crash: the node's clock is `count` seconds ahead
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, cast

import apsw

from sekisho.assemble import Served, SystemClock
from sekisho.cli import main, server
from sekisho.http.app import Receive, Scope, Send
from sekisho.ports.changes import RotateSession
from sekisho.ports.storage import Rotation
from sekisho.settings import Settings
from sekisho.storage.changes import STEPS_OF
from sekisho.storage.changes.rotation import rotate_session
from sekisho.storage.postgres import calls as postgres_calls
from sekisho.storage.postgres import gathering
from sekisho.storage.postgres import rotation as postgres_rotation
from sekisho.storage.redis import engine
from sekisho.storage.steps import Steps

Reach = Callable[[], None]


def main_with(point: str, count: int) -> None:
    passed = 0

    def reach() -> None:
        nonlocal passed
        passed += 1
        if passed == count:
            os.kill(os.getpid(), signal.SIGKILL)

    POINTS[point](reach)
    main()


def before_write(reach: Reach) -> None:
    def before(rotate: Callable[[RotateSession], Steps]) -> Callable[[RotateSession], Steps]:
        def steps(change: RotateSession) -> Steps:
            reach()
            return (yield from rotate(change))

        return steps

    _replace_rotation(before(rotate_session))
    one_statement = before(postgres_rotation.rotate_session)
    postgres_calls.STEPS = {**postgres_calls.STEPS, RotateSession: one_statement}
    leave = gathering.rotate_together

    async def rotate_together(connection: Any, together: Sequence[RotateSession]) -> Any:
        for _ in together:
            reach()
        return await leave(connection, together)

    gathering.rotate_together = rotate_together
    decide = engine.SessionEngine.rotate

    async def rotate(self: engine.SessionEngine, change: RotateSession) -> Rotation:
        reach()
        return await decide(self, change)

    engine.SessionEngine.rotate = rotate  # type: ignore[method-assign]


def before_commit(reach: Reach) -> None:
    def steps(change: RotateSession) -> Steps:
        verdict = yield from rotate_session(change)
        reach()
        return verdict

    _replace_rotation(steps)


def before_answer(reach: Reach) -> None:
    application = server.application

    def wrapped(settings: Settings, *given: Any) -> Silenced:
        return Silenced(application(settings, *given), reach)

    server.application = wrapped  # type: ignore[assignment]


def _replace_rotation(steps: Callable[[RotateSession], Steps]) -> None:
    cast(MutableMapping[Any, Any], STEPS_OF)[RotateSession] = steps


class Silenced:
    """An application that dies at the moment at which it would answer a refresh."""

    def __init__(self, inner: Served, reach: Reach) -> None:
        self._inner = inner
        self._reach = reach
        self.stop_streams = inner.stop_streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_die(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                self._reach()
            await send(message)

        is_refresh = scope.get("path", "").endswith("/auth/refresh")
        await self._inner(scope, receive, send_or_die if is_refresh else send)


def in_checkpoint(reach: Reach) -> None:
    _KEPT.append(_Files(reach))


class _Files(apsw.VFS):
    """The system's files; with a log, the database file itself is written in checkpoints only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._system = apsw.vfs_names()[0]
        super().__init__("faulty", self._system, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self._reach, self._system, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, reach: Reach, system: str, name: Any, flags: list[int]) -> None:
        self._reach = reach if flags[0] & apsw.SQLITE_OPEN_MAIN_DB else None
        super().__init__(system, name, flags)

    def xLock(self, level: int) -> None:
        """A file open for reading only cannot be locked for writing, which SQLite itself takes as "not now"."""
        try:
            super().xLock(level)
        except apsw.IOError as error:
            raise apsw.BusyError(str(error)) from error

    def xWrite(self, data: bytes, offset: int) -> None:
        if self._reach is not None:
            self._reach()
        super().xWrite(data, offset)


def set_clock_ahead(seconds: int) -> None:
    SystemClock.now = lambda self: time.time_ns() // 1_000_000 + seconds * 1000  # type: ignore[method-assign]


_KEPT: list[apsw.VFS] = []
POINTS: dict[str, Callable[[Reach], None]] = {
    "rotation.before_write": before_write,
    "rotation.before_commit": before_commit,
    "rotation.before_answer": before_answer,
    "checkpoint.write": in_checkpoint,
}

if __name__ == "__main__":
    where, _, number = sys.argv.pop(1).partition(":")
    if where == "clock":
        set_clock_ahead(int(number))
        main()
    else:
        main_with(where, int(number))
