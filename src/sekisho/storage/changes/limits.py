"""Throttle buckets and known devices.

A bucket is one row: how many tries its window has seen, and the times of the last two. The waiting time is computed
from them and never stored, so that giving a try back also gives back the waiting time that it caused.
"""

# ruff: noqa: S608 - the texts are put together from constants, values are always parameters

from __future__ import annotations

from sekisho.model import Millis
from sekisho.ports import changes
from sekisho.ports.clock import CLOCK_SKEW_MS
from sekisho.storage.steps import Losing, Step, Steps

# A doubled delay beyond this would leave 64 bits; the longest allowed delay is reached long before.
MOST_DOUBLINGS = 30

# What lies further ahead than nodes differ was written by a clock that has been corrected since: such a window is over,
# such a wait has passed, or one step of a clock would lock people out for as long as the step.
IS_OVER = "(throttle.window_ends_at <= :now OR throttle.window_ends_at > :latest_window_ends_at)"

COUNT = f"""
INSERT INTO throttle (bucket, tries, last_at, prior_at, window_ends_at) VALUES (:bucket, 1, :now, 0, :window_ends_at)
ON CONFLICT (bucket) DO UPDATE SET
    tries = CASE WHEN {IS_OVER} THEN 1 ELSE throttle.tries + 1 END,
    prior_at = CASE WHEN {IS_OVER} THEN 0 ELSE throttle.last_at END,
    last_at = :now,
    window_ends_at = CASE WHEN {IS_OVER} THEN :window_ends_at ELSE throttle.window_ends_at END
WHERE {IS_OVER}
    OR throttle.tries < :limit
    OR (:is_delaying = 1 AND (throttle.last_at > :latest_at OR throttle.last_at <= CASE
        WHEN throttle.tries >= :longest_from THEN :longest_since_at
        ELSE :now - (CAST(:first_delay_ms AS BIGINT) << CAST(throttle.tries - :limit AS INTEGER))
    END))
RETURNING tries
"""

LOOK = "SELECT tries, last_at, window_ends_at FROM throttle WHERE bucket = :bucket"

GIVE_BACK = """
UPDATE throttle SET tries = tries - 1, last_at = prior_at
WHERE bucket = :bucket AND window_ends_at > :now AND tries > 0
"""

FORGET = "DELETE FROM throttle WHERE bucket = :bucket"

REMEMBER = """
INSERT INTO known_devices (identifier_tag, device_tag, seen_at) VALUES (:identifier_tag, :device_tag, :now)
ON CONFLICT (identifier_tag, device_tag) DO UPDATE SET seen_at = :now
"""


def longest_delay_ms(change: changes.CountTry) -> int:
    """The cap of the waiting time; never below the first delay."""
    return max(change.max_delay_ms, change.first_delay_ms)


def doublings_to_longest(change: changes.CountTry) -> int:
    """After how many doublings the waiting time has reached its cap."""
    for doublings in range(MOST_DOUBLINGS):
        if change.first_delay_ms << doublings >= longest_delay_ms(change):
            return doublings
    return MOST_DOUBLINGS


def next_try_at(change: changes.CountTry, tries: int, last_at: Millis, window_ends_at: Millis) -> Millis:
    """When a try may pass that does not pass now: after the wait, or in the next window."""
    if change.first_delay_ms == 0:
        return window_ends_at
    doublings = min(max(tries - change.limit, 0), doublings_to_longest(change))
    return min(last_at + min(change.first_delay_ms << doublings, longest_delay_ms(change)), window_ends_at)


def count_try(change: changes.CountTry) -> Steps:
    passed = yield Step(
        COUNT,
        {
            "bucket": change.key,
            "now": change.now,
            "window_ends_at": change.now + change.window_ms,
            "latest_window_ends_at": change.now + change.window_ms + CLOCK_SKEW_MS,
            "latest_at": change.now + CLOCK_SKEW_MS,
            "limit": change.limit,
            "is_delaying": int(change.first_delay_ms > 0),
            "first_delay_ms": change.first_delay_ms,
            "longest_from": change.limit + doublings_to_longest(change),
            "longest_since_at": change.now - longest_delay_ms(change),
        },
    )
    if passed:
        return None
    rows = yield Step(LOOK, {"bucket": change.key})
    return Losing("throttled", next_try_at(change, *rows[0]) if rows else change.now)


def give_back_try(change: changes.GiveBackTry) -> Steps:
    yield Step(GIVE_BACK, {"bucket": change.key, "now": change.now})
    return None


def forget_tries(change: changes.ForgetTries) -> Steps:
    yield Step(FORGET, {"bucket": change.key})
    return None


def remember_device(change: changes.RememberDevice) -> Steps:
    yield Step(
        REMEMBER,
        {"identifier_tag": change.identifier_tag, "device_tag": change.device_tag, "now": change.now},
    )
    return None
