"""The timetable of the open loop: due is due, whatever the server does."""

from __future__ import annotations

import pytest
from bench.schedule import Timetable
from hypothesis import given
from hypothesis import strategies as st

BEGIN = 5_000_000_000


def test_requests_are_due_at_even_distances_from_the_beginning() -> None:
    timetable = Timetable(BEGIN, 1000)

    assert timetable.take_due(BEGIN - 1) == []
    assert timetable.take_due(BEGIN + 2_500_000) == [BEGIN, BEGIN + 1_000_000, BEGIN + 2_000_000]
    assert timetable.next_at == BEGIN + 3_000_000


def test_a_pause_of_the_driver_loses_no_request_and_keeps_the_intended_starts() -> None:
    timetable = Timetable(BEGIN, 100)
    timetable.take_due(BEGIN)

    late = timetable.take_due(BEGIN + 1_000_000_000)

    assert len(late) == 100
    assert late[0] == BEGIN + 10_000_000


@given(
    st.floats(min_value=0.5, max_value=100_000),
    st.lists(st.integers(min_value=0, max_value=20_000_000), min_size=1, max_size=50),
)
def test_however_it_is_asked_every_request_is_handed_out_once_and_in_order(rate: float, steps: list[int]) -> None:
    by_steps, at_once = Timetable(BEGIN, rate), Timetable(BEGIN, rate)
    handed_out, now = [], BEGIN

    for step in steps:
        now += step
        handed_out += by_steps.take_due(now)

    assert handed_out == at_once.take_due(now)
    assert handed_out == sorted(handed_out)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        Timetable(BEGIN, 0)
