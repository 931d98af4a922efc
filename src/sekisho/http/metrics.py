"""Figures for operators: requests by route and status, time spent, and the state of the store.

Counting happens on the event loop alone, in plain dictionaries; prometheus-client collects and renders them when
somebody asks. Its own counters take a lock for each figure, which costs more than all of this.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics(Collector):
    """A registry of its own, so that an application that mounts the server keeps its default one clean."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._refusals: Counter[str] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: dict[str, float] = {}
        self._rows: dict[str, int] = {}
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

    def set_counts(self, counts: dict[str, int]) -> None:
        """Take over the store's numbers of rows by kind."""
        self._rows = counts

    def render(self, counts: dict[str, int]) -> bytes:
        """Return the text form, with the store's `counts` as they are now."""
        self.set_counts(counts)
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """Hand over copies: the private port reads from a thread of its own."""
        requests = CounterMetricFamily("sekisho_requests", "Answered requests.", labels=("route", "method", "status"))
        for (route, method, status), number in self._requests.copy().items():
            requests.add_metric((route, method, str(status)), number)
        yield requests
        seconds = HistogramMetricFamily("sekisho_request_seconds", "Time to answer.", labels=("route",))
        for route, buckets in self._buckets.copy().items():
            seconds.add_metric((route,), _cumulated(buckets), self._seconds[route])
        yield seconds
        refusals = CounterMetricFamily("sekisho_refusals", "Refused requests.", labels=("code",))
        for code, number in self._refusals.copy().items():
            refusals.add_metric((code,), number)
        yield refusals
        rows = GaugeMetricFamily("sekisho_store_rows", "Rows by kind.", labels=("kind",))
        for kind, number in self._rows.items():
            rows.add_metric((kind,), number)
        yield rows


def _cumulated(buckets: list[int]) -> list[tuple[str, float]]:
    total, found = 0, []
    for bound, number in zip((*BUCKETS_S, float("inf")), list(buckets), strict=True):
        total += number
        found.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return found
