"""The comparison of two versions: what pairs of neighbours say, and how surely."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest
from bench.against import compare
from bench.chains import chains, stored_violations
from bench.processes import ROOT
from bench.versions import Place, seeded
from bench.warming import count_keys

from storage import fast_postgres
from storage.redis_server import redis_server


def test_a_change_that_every_pair_shows_is_told_from_the_noise_that_both_share() -> None:
    noise = [100.0, 300.0, 110.0, 250.0, 90.0, 140.0, 100.0, 400.0]
    found = compare([(1.1 * then, then) for then in noise])
    assert round(found.ratio, 9) == round(found.low, 9) == round(found.high, 9) == 1.1


def test_pairs_that_disagree_show_no_difference() -> None:
    found = compare([(100.0, 110.0), (110.0, 100.0)] * 8)
    assert found.low < 1 < found.high


def test_one_pair_that_a_stranger_disturbed_does_not_count() -> None:
    assert compare([(100.0, 100.0)] * 9 + [(900.0, 100.0)]).ratio == 1.0


def test_the_same_pairs_always_say_the_same() -> None:
    pairs = [(100.0 + number, 103.0 - number) for number in range(9)]
    assert compare(pairs) == compare(pairs)


def test_the_code_in_a_folder_makes_the_installation(tmp_path: Path) -> None:
    """Other code than this: its accounts have other addresses, and other ids."""
    code = tmp_path / "code"
    (code / "src").mkdir(parents=True)
    for folder in ("bench", "src/sekisho"):
        subprocess.run(["cp", "-r", ROOT / folder, code / folder], check=True)
    site_file = code / "bench" / "site.py"
    site_file.write_text(site_file.read_text().replace("person-{account}@", "earlier-{account}@"))

    ids_file = code / "src" / "sekisho" / "ids.py"
    ids_file.write_text(ids_file.read_text() + "\n\n_made = new_account_id\nnew_account_id = lambda: 'x' + _made()\n")

    site = seeded(code, tmp_path / "here", 20, Place())

    stored = site.database_path.read_bytes()
    assert (b"earlier-7@" in stored, b"person-7@" in stored) == (True, False)
    assert {each[0] for each in site.accounts} == {"x"}
    assert (site.size, len(site.accounts), len(site.values)) == (20, 20, 20 * 32)


@pytest.mark.anyio
async def test_an_installation_on_postgresql_has_its_redis_warm(tmp_path: Path) -> None:
    target = await asyncio.to_thread(fast_postgres.new_database, "template1")
    with redis_server(tmp_path / "redis") as redis:
        place = Place(target.url, redis.url)
        site = await asyncio.to_thread(seeded, ROOT, tmp_path / "here", 20, place)
        assert (site.url, site.redis_url, await count_keys(site)) == (target.url, redis.url, 20)
    (user,), _ = chains(site, 1)
    user.request()
    assert not await stored_violations(site, [user])
