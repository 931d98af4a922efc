"""What a scenario is given: a seeded site, its server, the plan, and what earlier scenarios found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from bench.chains import Chains, Tabs
from bench.engines import Engines
from bench.measure import SATURATING_USERS, Plan
from bench.processes import Cores, Started, UsesProcessor, free_port, started
from bench.requests import get
from bench.rows import Row
from bench.site import Site

READY = get("/readyz")


class Setting(Struct, frozen=True):
    """chains: one for each user; their state outlives a scenario, so whoever refreshes must use these. engines: only
    for scenarios that are left out where their servers are not installed."""

    plan: Plan
    cores: Cores
    folder: Path
    site: Site
    server: Started
    smtp_port: int
    chains: list[Chains]
    tabs: Tabs
    found: dict[str, Row]
    engines: Engines

    @property
    def saturating_chains(self) -> list[Chains]:
        return self.chains[:SATURATING_USERS]

    def serving(
        self, site: Site, stores: tuple[UsesProcessor, ...] = (), *, is_second: bool = False
    ) -> AbstractContextManager[Started]:
        """Run `sekisho serve` on a site for as long as the block runs."""
        core = self.cores.second_server if is_second else self.cores.server
        return serving(site, self.smtp_port, core, stores)


Scenario = Callable[[Setting], Awaitable[list[Row]]]


def serving(
    site: Site, smtp_port: int, core: int, stores: tuple[UsesProcessor, ...] = (), *, code: str = ""
) -> AbstractContextManager[Started]:
    """Run `sekisho serve` on a site for as long as the block runs. stores: what works for it beside it. code: where
    another version than this one is (`PYTHONPATH`)."""
    port = free_port()
    environment = site.environment(port, smtp_port) | ({"PYTHONPATH": code} if code else {})
    return started(["sekisho", "serve"], port, site.folder, core, environment, READY, stores)
