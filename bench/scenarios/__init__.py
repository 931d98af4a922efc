"""One scenario a file, one function of it for each engine; `ALL` is the order of a run."""

from __future__ import annotations

from bench.scenarios import (
    anomalies,
    audit_trail,
    garbage_token,
    guard,
    login,
    refresh,
    refresh_beside_logins,
    second_factor,
    session_list,
    sign_up,
    start_up,
    ten_times_the_sessions,
    two_nodes,
    who_am_i,
)
from bench.setting import Scenario

# Those whose aims come from what an earlier one found stand after it; whatever fills the database comes late.
ALL: tuple[Scenario, ...] = (
    refresh.run,
    who_am_i.run,
    session_list.run,
    garbage_token.run,
    ten_times_the_sessions.run,
    login.run,
    second_factor.run,
    anomalies.run,
    audit_trail.run,
    refresh_beside_logins.run,
    guard.run,
    sign_up.run,
    start_up.run,
    refresh.on_postgres,
    who_am_i.on_postgres,
    login.on_postgres,
    two_nodes.on_postgres,
    ten_times_the_sessions.on_postgres,
    refresh.on_redis,
    two_nodes.on_redis,
)

NEEDS: dict[Scenario, tuple[str, ...]] = {
    one: ("PostgreSQL",) if one.__name__ == "on_postgres" else ("PostgreSQL", "Redis")
    for one in ALL
    if one.__name__ != "run"
}
"""Which servers must be installed for a scenario."""

SLOW: frozenset[Scenario] = frozenset(
    {who_am_i.on_postgres, login.on_postgres, two_nodes.on_postgres, ten_times_the_sessions.on_postgres}
)
"""What a quick run leaves out: other rows show the same, or it takes long to seed."""


def name_of(scenario: Scenario) -> str:
    """Return `refresh` or `refresh.on_postgres`: what `--only` knows it by."""
    file = scenario.__module__.rpartition(".")[2]
    return file if scenario.__name__ == "run" else f"{file}.{scenario.__name__}"
