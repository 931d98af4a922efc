"""The real server for one run of the machine: its own event loop, its own file, a clock that the machine moves."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sekisho.admin.world import OperatorWorld
from sekisho.http.edge import Edge
from sekisho.revocations import JOURNAL_MS
from sekisho.settings import load
from sekisho.upkeep import UpkeepPlan, sweep
from storage.fast import template
from world import SECRET, StandingClock, World

T = TypeVar("T")
EdgeChange = Callable[[Edge], Edge]

# Throttling has tests of its own; here it would only get in the way.
SETTINGS = {
    "session.max_per_account": 3,
    "jwt.claims": "email,roles",
    "jwt.rotate_days": 3650,
    "password.threads": 2,
    "limits.login_failures": 1000,
    "limits.login_network_failures": 100_000,
    "limits.login_failures_per_day": 10_000,
    "limits.code_sends": 100,
    "limits.code_sends_per_day": 1000,
    "limits.code_network_sends": 100_000,
    "limits.code_failures_per_day": 1000,
    "limits.factor_failures": 1000,
    "limits.factor_failures_per_day": 10_000,
}


def unchanged(edge: Edge) -> Edge:
    return edge


class Server:
    """change: what is put in place of the wiring's own parts, for the faults that are made on purpose."""

    def __init__(self, change: EdgeChange = unchanged) -> None:
        self._runner = asyncio.Runner()
        self._root = tempfile.TemporaryDirectory(prefix="sekisho-life-")
        self._change = change
        self._lives = 0
        self.clock = StandingClock()
        self.hash_profile = "low_memory"
        self.policy_profile = "standard"
        self.world = self._new_world()
        shutil.copy(template(), self.world.settings.database_path)
        self.run(self._start())

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)

    def restart(self, *, killed: bool, policy_profile: str, hash_profile: str) -> None:
        """Stop and start on the same file. `killed`: start on a copy of what the file and its log were while the
        old process had them open, as after `kill -9`."""
        self.policy_profile, self.hash_profile = policy_profile, hash_profile
        self.run(self._restart(killed))

    def close(self) -> None:
        try:
            self.run(self.world.stop())
        finally:
            self._runner.close()
            self._root.cleanup()

    @property
    def operator(self) -> OperatorWorld:
        """What the operator's commands stand on, in this process."""
        edge = self.world.edge
        return OperatorWorld(
            store=self.world.store,
            clock=self.clock,
            master=self.world.master,
            passwords=edge.login.passwords,
            policy=edge.sign_up.policy,
            screening=edge.sign_up.screening,
            throttle=edge.login.throttle,
            outbox=edge.sign_up.outbox,
            not_me=edge.not_me.codes,
            journal_ms=JOURNAL_MS,
            signing_algorithm="ES256",
            verify_for_ms=JOURNAL_MS,
        )

    async def sweep(self) -> None:
        await sweep(self.world.store, self.clock.now(), UpkeepPlan())

    def _new_world(self) -> World:
        self._lives += 1
        folder = Path(self._root.name) / str(self._lives)
        folder.mkdir()
        environ = {
            "SEKISHO_SECRET": SECRET,
            "SEKISHO_PASSWORD__HASH": self.hash_profile,
            "SEKISHO_PASSWORD__PROFILE": self.policy_profile,
        }
        settings = load("dev", environ=environ, cwd=folder, overrides=SETTINGS)
        settings.database_path.parent.mkdir(parents=True, exist_ok=True)
        return World(folder, self.clock, settings)

    async def _start(self) -> None:
        await self.world.start()
        self.world._edge = self._change(self.world.edge)
        # The server sweeps when it starts. Its sweep is in line before this one, and both see the same time.
        await asyncio.sleep(0)
        await self.sweep()

    async def _restart(self, killed: bool) -> None:
        await self.world.mail()  # lets the outbox come to rest, so that nobody writes while the files are copied
        old, new = self.world, self._new_world()
        if not killed:
            await old.stop()
        path = old.settings.database_path
        for suffix in ("", "-wal"):
            if (source := path.with_name(path.name + suffix)).exists():
                shutil.copy(source, new.settings.database_path.with_name(path.name + suffix))
        if killed:
            await old.stop()
        self.world = new
        await self._start()
