"""Whether two pieces of work cost the same, on a machine that others use too.

What others do can only make a piece of work look dearer, so the cheapest of many runs tells its cost. The two are run
in turns, so that a busy minute meets both, until their cheapest runs agree: noise goes away with more turns, a
difference does not.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

MOST_TURNS = 60
FEWEST_TURNS = 5

Work = Callable[[], Awaitable[object]]


async def cpu_ratio(
    work: Work, other: Work, *, at_least: float = 0.0, at_most: float = float("inf"), most_turns: int = MOST_TURNS
) -> float:
    """Return what `work` costs in units of `other`: as soon as that lies between the bounds, else after the last turn.

    Counted is the processor time of this process, all threads.
    """
    cheapest = [float("inf"), float("inf")]
    ratio = float("inf")
    for turn in range(most_turns):
        for number, each in enumerate((work, other)):
            begun = time.process_time()
            await each()
            cheapest[number] = min(cheapest[number], time.process_time() - begun)
        ratio = cheapest[0] / cheapest[1]
        if turn + 1 >= FEWEST_TURNS and at_least < ratio < at_most:
            break
    return ratio


async def shortest_s(work: Work, *, within_s: float, most_turns: int = 10) -> float:
    """Return the shortest time that `work` took, as soon as it lies within the bound, else after the last turn."""
    shortest = float("inf")
    for _ in range(most_turns):
        begun = time.perf_counter()
        await work()
        shortest = min(shortest, time.perf_counter() - begun)
        if shortest < within_s:
            break
    return shortest
