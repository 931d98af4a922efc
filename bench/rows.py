"""What a run finds: rows of figures, each with the aims of the design beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct, structs

from bench.measure import Stretch

AimKind = Literal[
    "bare_cpu",
    "bare_throughput",
    "hash_throughput",
    "size_cpu",
    "size_store_cpu",
    "store_operations",
    "p99_ms",
    "start_s",
    "resident_mb",
    "record_bytes",
    "signature_cpu",
    "warm_us",
    "heap_mb",
    "rules_us",
    "extra_reads",
    "per_100k_s",
]
AT_LEAST: frozenset[AimKind] = frozenset({"bare_throughput", "hash_throughput"})


class Aim(Struct, frozen=True):
    """kind: what is compared with `limit`: `*_cpu` and `*_throughput` are ratios to the bare handler, to the
    hash alone, to the smaller database, to a signature check. value: what was found. Without a limit there
    is a finding and no aim."""

    kind: AimKind
    limit: float | None
    value: float | None = None

    @property
    def is_met(self) -> bool:
        if self.value is None or self.limit is None:
            return self.limit is None
        return self.value >= self.limit if self.kind in AT_LEAST else self.value <= self.limit


class Row(Struct, frozen=True):
    """per_second and cpu_us are those of the closed loop, p50_ms and p99_ms those of the open loop at half that rate,
    or of the closed loop where there is no open one. store_us: processor time of other programs that keep the data,
    None where the server itself does. violations: broken promises, by what broke."""

    id: str
    per_second: float | None = None
    cpu_us: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    bare_ratio: float | None = None
    driver_busy: float | None = None
    aims: tuple[Aim, ...] = ()
    violations: dict[str, int] = {}
    store_us: float | None = None


class Results(Struct, frozen=True):
    """taken_at: the day. conditions: everything that a reader needs to judge or repeat the figures."""

    taken_at: str
    plan: str
    conditions: dict[str, str]
    rows: tuple[Row, ...]

    @property
    def violated(self) -> list[Row]:
        return [row for row in self.rows if row.violations]


def row(
    name: str, most: Stretch, half: Stretch | None, aims: Sequence[Aim] = (), broken: Counter[str] | None = None
) -> Row:
    """Return a row of a closed loop (`most`) and an open one (`half`)."""
    relaxed = half or most
    return Row(
        id=name,
        per_second=most.per_second,
        cpu_us=most.cpu_us,
        p50_ms=relaxed.p50_ms,
        p99_ms=relaxed.p99_ms,
        driver_busy=most.driver_busy,
        aims=tuple(aims),
        violations=dict(most.violations + relaxed.violations + (broken or Counter())),
        store_us=most.store_us,
    )


def against_bare(rows: Sequence[Row], bare: Sequence[Row]) -> list[Row]:
    """Fill in the ratios to the bare handler, which was measured before and after."""
    cpu_us = _mean([one.cpu_us for one in bare])
    per_second = _mean([one.per_second for one in bare])
    return [_compared(one, cpu_us, per_second) for one in rows]


def _compared(one: Row, cpu_us: float, per_second: float) -> Row:
    if one.cpu_us is None or one.per_second is None:
        return one
    found = {"bare_cpu": one.cpu_us / cpu_us, "bare_throughput": one.per_second / per_second}
    aims = tuple(structs.replace(aim, value=found.get(aim.kind, aim.value)) for aim in one.aims)
    return structs.replace(one, bare_ratio=found["bare_cpu"], aims=aims)


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)
