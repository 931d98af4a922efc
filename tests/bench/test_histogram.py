"""The histogram of the load driver: what it forgets is at most one part in 128."""

from __future__ import annotations

from bench.histogram import Histogram
from hypothesis import given
from hypothesis import strategies as st

TIMES = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=200)


@given(TIMES, st.sampled_from([1.0, 50.0, 90.0, 99.0, 99.9, 100.0]))
def test_a_percentile_is_never_below_the_true_one_and_at_most_one_part_in_128_above(
    times: list[int], percent: float
) -> None:
    histogram = Histogram()
    for time in times:
        histogram.add(time)

    rank = max(1, -(-len(times) * percent // 100))
    true_ms = sorted(times)[int(rank) - 1] / 1e6

    assert true_ms <= histogram.percentile_ms(percent) <= true_ms * (1 + 1 / 128)


def test_one_slow_answer_in_a_hundred_is_the_99th_percentile_of_101() -> None:
    histogram = Histogram()
    for _ in range(99):
        histogram.add(1_000_000)
    histogram.add(80_000_000)
    histogram.add(80_000_000)

    assert histogram.percentile_ms(50) < 1.01
    assert histogram.percentile_ms(99) == 80.0
    assert histogram.count == 101


def test_an_empty_histogram_answers_zero() -> None:
    assert Histogram().percentile_ms(99) == 0.0


def test_times_beyond_its_range_count_as_the_longest() -> None:
    histogram = Histogram()
    histogram.add(10**18)
    histogram.add(-5)

    assert histogram.count == 2
    assert histogram.percentile_ms(100) == (1 << 40) / 1e6
