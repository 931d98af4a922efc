"""The page that calculates shows what the measured costs come to, and names every assumption of the calculation."""

from __future__ import annotations

import pytest

from bench import report, scale


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_holds_the_calculation_of_the_results_in_the_repository(language: report.Language) -> None:
    page = scale.PAGES[language].read_text(encoding="utf-8")

    assert scale.with_table(page, language, scale.costs()) == page


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_page_names_the_assumptions_that_the_program_makes(language: report.Language) -> None:
    before_the_calculation = scale.PAGES[language].read_text(encoding="utf-8").partition(report.BEGIN)[0]
    cells = [line.split("|")[2].strip() for line in before_the_calculation.splitlines() if line.startswith("| ")]
    values = [cell.split()[0] for cell in cells if cell[0].isdigit()]

    assert values == ["1.2", "10", "4", "1", "3", "15", "30", "2", "730"]
    assert [float(value) for value in values] == [
        scale.LIVE_SESSIONS,
        scale.ACTIVE_IN_PEAK_HOUR * 100,
        scale.REFRESHES_AN_HOUR,
        scale.WHO_AM_I_A_REFRESH,
        scale.LOGINS_A_DAY * 100,
        scale.PEAK_HOUR_OF_LOGINS * 100,
        scale.ENDED_KEPT_DAYS,
        scale.AUDIT_OF_A_LOGIN,
        scale.AUDIT_KEPT_DAYS,
    ]


def test_a_line_is_what_its_arithmetic_says() -> None:
    cost = scale.Costs(*[100.0] * len(scale.Costs._fields))
    found = {line.en: line.value(36_000_000) for line in scale.lines(cost)}

    assert found["refreshes a second, peak hour"] == pytest.approx(4000)  # 36,000,000 × 10 % × 4 ÷ 3600
    assert found["logins a second, peak hour"] == pytest.approx(45)  # 36,000,000 × 3 % × 15 % ÷ 3600
    assert found["busy cores, servers"] == pytest.approx((4000 * 200 + 45 * 100) / 1e6)
    assert found["nodes of 4 cores"] == 2
    assert found["accounts and sessions"] == pytest.approx(36e6 * (100 + 2.1 * 100) / 1e9)
    assert found["audit trail"] == pytest.approx(36e6 * 0.03 * 2 * 730 * 100 / 1e9)
    assert found["Redis, memory of the session engine"] == pytest.approx(36e6 * 1.2 * 100 / 1e9)
