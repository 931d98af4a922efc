"""Questions to the service of breached passwords are counted, over all workers of a node."""

from __future__ import annotations

from sekisho.http.figure_board import FigureBoard
from sekisho.http.metrics import Metrics


def test_V6_2_12_questions_are_counted_by_what_came_of_them_over_all_workers() -> None:
    board = FigureBoard(2)
    one, other = Metrics(board, 0), Metrics(board, 1)
    one.breach_asked("unavailable")
    one.breach_asked("found")
    other.breach_asked("unavailable")
    other.show()

    said = one.render({}).decode()
    assert 'sekisho_breached_password_questions_total{outcome="unavailable"} 2.0' in said
    assert 'sekisho_breached_password_questions_total{outcome="found"} 1.0' in said
