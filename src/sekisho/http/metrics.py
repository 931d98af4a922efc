"""Figures for operators: requests by route and status, time spent, and the state of the store.

Spec: the Prometheus text format; prometheus-client renders it.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """A registry of its own, so that an application that mounts the server keeps its default one clean."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "sekisho_requests", "Answered requests.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "sekisho_request_seconds", "Time to answer.", ("route",), buckets=BUCKETS_S, registry=self.registry
        )
        self._refusals = Counter("sekisho_refusals", "Refused requests.", ("code",), registry=self.registry)
        self._store = Gauge("sekisho_store_rows", "Rows by kind.", ("kind",), registry=self.registry)
        # Looking a child up by its labels costs more than counting: keep those met before.
        self._request_children: dict[tuple[str, str, int], Counter] = {}
        self._seconds_children: dict[str, Histogram] = {}

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer. `route` is the path's pattern, never the path itself."""
        key = (route, method, status)
        requests = self._request_children.get(key)
        if requests is None:
            requests = self._request_children[key] = self._requests.labels(route, method, str(status))
            self._seconds_children[route] = self._seconds.labels(route)
        requests.inc()
        self._seconds_children[route].observe(seconds)

    def refused(self, code: str) -> None:
        self._refusals.labels(code).inc()

    def render(self, counts: dict[str, int]) -> bytes:
        """Return the text form, with the store's `counts` as they are now."""
        self.set_counts(counts)
        return generate_latest(self.registry)

    def set_counts(self, counts: dict[str, int]) -> None:
        for kind, number in counts.items():
            self._store.labels(kind).set(number)
