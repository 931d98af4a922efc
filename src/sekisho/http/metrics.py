"""Figures for operators: requests by route and status, time spent, and the state of the store.

Counting happens on the event loop alone, in plain dictionaries; prometheus-client collects and renders them when
somebody asks. Its own counters take a lock for each figure, which costs more than all of this.

Several workers of one node put copies of their figures on a board that they share, and whoever is asked answers for
all of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sekisho.http.figure_board import FigureBoard

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Figures(msgspec.Struct, array_like=True):
    """What was counted. requests: by route, method and status. buckets, seconds: by route. unusual: by rule and
    outcome. breach_questions: by what came of them."""

    requests: list[tuple[str, str, int, int]] = []
    refusals: dict[str, int] = {}
    buckets: dict[str, list[int]] = {}
    seconds: dict[str, float] = {}
    unusual: list[tuple[str, str, int]] = []
    breach_questions: dict[str, int] = {}


class Metrics(Collector):
    """A registry of its own, so that an application that mounts the server keeps its default one clean.

    Args:
        board: where the workers of this node show theirs; None for a process alone.
        place: this worker's on it. What an earlier worker counted there is gone on from.
    """

    def __init__(self, board: FigureBoard | None = None, place: int = 0) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._refusals: Counter[str] = Counter()
        self._breach_questions: Counter[str] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._unusual: Counter[tuple[str, str]] = Counter()
        self._rows: dict[str, int] = {}
        self._board, self._place = board, place
        if board is not None and (before := board.seen(place)):
            self._add(msgspec.msgpack.decode(before, type=Figures))
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. `route` is the path's pattern, never the path itself: that is anybody's to choose."""
        self._requests[route, method, status] += 1
        buckets = self._buckets.get(route)
        if buckets is None:
            buckets = self._buckets[route] = [0] * (len(BUCKETS_S) + 1)
            self._seconds[route] = 0.0
        buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self._seconds[route] += seconds

    def refused(self, code: str) -> None:
        self._refusals[code] += 1

    def unusual(self, rule: str, outcome: str) -> None:
        """Count that a rule found a sign-in or a move unusual, and what followed. Both are words of closed lists."""
        self._unusual[rule, outcome] += 1

    def breach_asked(self, outcome: str) -> None:
        """Count one question to the service of breached passwords."""
        self._breach_questions[outcome] += 1

    def set_counts(self, counts: dict[str, int]) -> None:
        """Take over the store's numbers of rows by kind."""
        self._rows = counts

    def show(self) -> None:
        """Put this worker's figures on the board, if there is one."""
        if self._board is not None:
            self._board.show(self._place, msgspec.msgpack.encode(self._copy()))

    def render(self, counts: dict[str, int]) -> bytes:
        """Return the text form, with the store's `counts` as they are now."""
        self.set_counts(counts)
        # What was told here must not fall if this worker dies now.
        self.show()
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Hand over copies: the private port reads from a thread of its own."""
        figures = self._of_all_workers()
        requests = CounterMetricFamily("sekisho_requests", "Answered requests.", labels=("route", "method", "status"))
        for route, method, status, number in figures.requests:
            requests.add_metric((route, method, str(status)), number)
        yield requests
        seconds = HistogramMetricFamily("sekisho_request_seconds", "Time to answer.", labels=("route",))
        for route, buckets in figures.buckets.items():
            seconds.add_metric((route,), _cumulated(buckets), figures.seconds[route])
        yield seconds
        refusals = CounterMetricFamily("sekisho_refusals", "Refused requests.", labels=("code",))
        for code, number in figures.refusals.items():
            refusals.add_metric((code,), number)
        yield refusals
        unusual = CounterMetricFamily(
            "sekisho_unusual", "Unusual sign-ins and moves of sessions.", labels=("rule", "outcome")
        )
        for rule, outcome, number in figures.unusual:
            unusual.add_metric((rule, outcome), number)
        yield unusual
        asked = CounterMetricFamily(
            "sekisho_breached_password_questions",
            "Questions to the service of breached passwords.",
            labels=("outcome",),
        )
        for outcome, number in figures.breach_questions.items():
            asked.add_metric((outcome,), number)
        yield asked
        rows = GaugeMetricFamily("sekisho_store_rows", "Rows by kind.", labels=("kind",))
        for kind, number in self._rows.items():
            rows.add_metric((kind,), number)
        yield rows

    def _copy(self) -> Figures:
        requests = [(*key, number) for key, number in self._requests.copy().items()]
        unusual = [(*key, number) for key, number in self._unusual.copy().items()]
        return Figures(
            requests,
            dict(self._refusals),
            self._buckets.copy(),
            self._seconds.copy(),
            unusual,
            dict(self._breach_questions),
        )

    def _of_all_workers(self) -> Figures:
        if self._board is None:
            return self._copy()
        total = Metrics()
        total._add(self._copy())
        for figures in self._board.others(self._place):
            total._add(msgspec.msgpack.decode(figures, type=Figures))
        return total._copy()

    def _add(self, figures: Figures) -> None:
        for route, method, status, number in figures.requests:
            self._requests[route, method, status] += number
        self._refusals.update(figures.refusals)
        for rule, outcome, number in figures.unusual:
            self._unusual[rule, outcome] += number
        self._breach_questions.update(figures.breach_questions)
        for route, buckets in figures.buckets.items():
            own = self._buckets.get(route, [0] * len(buckets))
            self._buckets[route] = [one + other for one, other in zip(own, buckets, strict=True)]
            self._seconds[route] = self._seconds.get(route, 0.0) + figures.seconds[route]


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, number in zip((*BUCKETS_S, float("inf")), list(buckets), strict=True):
        total += number
        found.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return found
