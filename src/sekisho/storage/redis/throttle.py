"""Counters per network. A wipe of Redis forgets them, so that nothing that guards one account is counted here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from sekisho.ports.changes import Change, CountTry, GiveBackTry
from sekisho.ports.clock import CLOCK_SKEW_MS
from sekisho.ports.storage import Lost, Outcome, StoreUnavailable
from sekisho.storage.changes.limits import longest_delay_ms
from sekisho.storage.redis.fleet import Fleet
from sekisho.storage.redis.line import Call
from sekisho.storage.redis.scripts import COUNT, GIVE_BACK

Apply: TypeAlias = Callable[..., Awaitable[Outcome]]


def is_coarse(change: Change) -> bool:
    return isinstance(change, CountTry | GiveBackTry) and change.coarse


async def apply_counting(fleet: Fleet, changes: Sequence[Change], apply: Apply) -> Outcome:
    """Apply a call in which some tries are coarse: those are counted first, here, and given back if the call is lost.

    While Redis is away they are counted in SQL like all others: an outage never opens a limit.
    """
    tries = [change for change in changes if isinstance(change, CountTry) and change.coarse]
    counted: list[CountTry] = []
    try:
        for each in tries:
            retry_at = await fleet.run(_counting(each))
            if retry_at:
                await _give_back(fleet, counted)
                return Outcome(lost=Lost(each, "throttled", int(retry_at)))
            counted.append(each)
    except StoreUnavailable:
        await _give_back(fleet, counted)
        return await apply(*changes)

    others = [change for change in changes if not is_coarse(change)]
    try:
        outcome = await apply(*others) if others else Outcome()
    except StoreUnavailable:
        await _give_back(fleet, counted)
        raise
    if outcome.lost is not None:
        await _give_back(fleet, counted)
        return outcome
    await _give_back(fleet, [change for change in changes if isinstance(change, GiveBackTry) and change.coarse])
    results = iter(outcome.results)
    return Outcome(tuple(None if is_coarse(change) else next(results) for change in changes))


def _counting(change: CountTry) -> Call:
    args = (
        change.now,
        change.window_ms,
        change.limit,
        change.first_delay_ms,
        longest_delay_ms(change),
        CLOCK_SKEW_MS,
    )
    return Call(COUNT, f"throttle.{change.key.hex()}", args=args, is_bound=False)


async def _give_back(fleet: Fleet, changes: Sequence[CountTry | GiveBackTry]) -> None:
    """A try that cannot be given back stays counted, for one window: the safe side."""
    calls = [Call(GIVE_BACK, f"throttle.{each.key.hex()}", args=(each.now,), is_bound=False) for each in changes]
    try:
        await fleet.run_all(calls)
    except StoreUnavailable:
        return
