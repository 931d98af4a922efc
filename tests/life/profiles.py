"""How long the machine runs: always the same examples in the suite, many and new ones on demand."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_EXAMPLES = int(os.environ.get("LIFE_EXAMPLES", "0"))
_HEALTH = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)

FULL = settings(
    max_examples=_EXAMPLES or 100,
    stateful_step_count=60 if _EXAMPLES else 30,
    derandomize=not _EXAMPLES,
    database=None,
    deadline=None,
    print_blob=bool(_EXAMPLES),
    suppress_health_check=_HEALTH,
)

# A deliberate fault must show within these examples. The first failure is enough: nothing is made smaller.
FAULT = settings(
    FULL,
    max_examples=400,
    stateful_step_count=30,
    derandomize=True,
    phases=(Phase.generate,),
    report_multiple_bugs=False,
)
