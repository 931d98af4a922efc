"""One scenario a file; `ALL` is the order of a run."""

from __future__ import annotations

from bench.scenarios import (
    garbage_token,
    login,
    refresh,
    refresh_beside_logins,
    session_list,
    sign_up,
    start_up,
    ten_times_the_sessions,
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
    refresh_beside_logins.run,
    sign_up.run,
    start_up.run,
)
