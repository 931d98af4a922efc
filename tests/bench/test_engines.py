"""The other engines of a run: what is missing is said, their time is counted whole, their rows are checked."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from bench.__main__ import _is_asked, _left_out
from bench.chains import chains, stored_violations
from bench.processes import cpu_of_tree
from bench.scenarios import ALL, NEEDS, SLOW, login, refresh, start_up
from bench.seeding import seed_postgres

from sekisho.tokens.refresh_token import RefreshTokens
from storage import fast_postgres

# /proc counts in hundredths of a second, rounded down for each process: what is burnt is well above what is asked.
BURN = "import time\nwhile time.process_time() < {seconds}: pass"


def test_a_run_says_in_one_line_what_it_leaves_out_and_why() -> None:
    without_postgres = [one for one in ALL if one not in NEEDS]

    said = _left_out(list(ALL), without_postgres, ["PostgreSQL"], quick=False)

    assert "refresh.on_postgres" in said
    assert "PostgreSQL not installed, see scripts/servers.sh" in said
    assert "\n" not in said
    assert _left_out(list(ALL), list(ALL), [], quick=False) == ""
    assert "who_am_i.on_postgres (quick run)" in _left_out([], [], [], quick=True)


def test_a_scenario_is_asked_for_by_its_file_or_by_its_own_name() -> None:
    assert _is_asked(refresh.on_redis, ["refresh"], quick=False)
    assert _is_asked(refresh.on_redis, ["refresh.on_redis"], quick=True)
    assert not _is_asked(refresh.run, ["refresh.on_redis"], quick=False)
    assert _is_asked(login.on_postgres, [], quick=False)
    assert not _is_asked(login.on_postgres, [], quick=True)
    assert _is_asked(start_up.run, [], quick=True)
    assert set(ALL) >= SLOW


def test_the_time_of_children_counts_while_they_run_and_after_they_have_ended() -> None:
    """PostgreSQL works in children, and its helpers come and go."""
    ended, running = (f"[sys.executable, '-c', {BURN.format(seconds=seconds)!r}]" for seconds in (0.4, 600))
    parent = (
        f"import subprocess, sys; subprocess.run({ended}); print('ended', flush=True)\n"
        f"running = subprocess.Popen({running}); input(); running.kill(); running.wait()"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ended\n"
        assert cpu_of_tree(process.pid) >= 0.3
        deadline = time.monotonic() + 60
        while cpu_of_tree(process.pid) < 0.9:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.communicate(b"\n")


@pytest.mark.anyio
async def test_a_rotation_that_postgresql_does_not_hold_breaks_the_promise(tmp_path: Path) -> None:
    target = await asyncio.to_thread(fast_postgres.new_database, "template1")
    site = await seed_postgres(tmp_path, 20, target.url)
    (user,), _ = chains(site, 1)
    user.request()
    minter, (index,) = RefreshTokens(site.master()), user.tokens

    assert not await stored_violations(site, [user])

    user.tokens[index] = minter.successor(minter.open(user.tokens[index]))
    assert await stored_violations(site, [user]) == Counter({"the database does not hold what was acknowledged": 1})
