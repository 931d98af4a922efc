"""The pages show the results that are in the repository, and a broken promise cannot look like a figure."""

from __future__ import annotations

import pytest
from bench.rows import Aim, Results, Row, against_bare
from bench.scenarios import ALL, NEEDS

from bench import report


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_holds_the_tables_of_the_results(language: report.Language) -> None:
    page = report.PAGES[language].read_text(encoding="utf-8")

    assert report.with_tables(page, report.read(), language) == page


def test_the_results_are_of_a_whole_run_without_a_broken_promise() -> None:
    results = report.read()

    assert results.plan == "full"
    assert not results.violated
    # A machine without PostgreSQL or Redis leaves their rows out, and its conditions say so.
    assert len(results.rows) >= len(ALL) - len(NEEDS) + 2


def test_an_aim_is_met_from_the_right_side() -> None:
    assert Aim("bare_cpu", 3.5, 3.5).is_met
    assert not Aim("bare_cpu", 3.5, 3.6).is_met
    assert Aim("hash_throughput", 0.96, 0.97).is_met
    assert not Aim("hash_throughput", 0.96, 0.95).is_met
    assert not Aim("p99_ms", 20).is_met


def test_ratios_are_to_the_mean_of_the_bare_handler_before_and_after() -> None:
    bare = [Row(id="before", per_second=40_000, cpu_us=20.0), Row(id="after", per_second=20_000, cpu_us=30.0)]

    (row,) = against_bare([Row(id="refresh", per_second=6_000, cpu_us=75.0, aims=(Aim("bare_cpu", 3.5),))], bare)

    assert row.bare_ratio == 3.0
    assert row.aims == (Aim("bare_cpu", 3.5, 3.0),)


def test_a_row_with_a_violation_fails_the_run_and_says_so() -> None:
    broken = Row(id="refresh", per_second=1.0, violations={"a refresh token that does not follow": 2})
    results = Results(taken_at="2026-01-01", plan="full", conditions={}, rows=(broken,))

    assert results.violated == [broken]
    assert "FAILED refresh: 2 × a refresh token that does not follow" in report.text(results)
    assert "失敗" in report.markdown(results, "ja")
