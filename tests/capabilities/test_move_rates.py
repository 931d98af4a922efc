"""The rules for sessions that move, on made journeys: how much they find, and how often for nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from sekisho.anomalies.rules import HOUR_MS, MOVE_RULES, SCORES
from sekisho.anomalies.sightings import Past, Sighting
from sekisho.model import Unusual
from sekisho.places import Position

NOW = 1_800_000_000_000
TOKYO, OSAKA = Position("JP", 35.68, 139.77), Position("JP", 34.69, 135.50)
LONDON, LYON = Position("GB", 51.51, -0.13), Position("FR", 45.76, 4.84)

PEOPLE, DAYS, REFRESHES_A_DAY = 1000, 60, 12
MOBILE_NETWORKS = 40
"""So many /24 a telephone's provider hands out by turns."""


class Move(NamedTuple):
    now: Sighting
    past: Past
    is_other_device: bool


def score(move: Move) -> int:
    found = [reason for reason, applies in MOVE_RULES.items() if applies(move.now, move.past)]
    found += [Unusual.REFRESH_DEVICE] if move.is_other_device else []
    return sum(SCORES[reason] for reason in found)


def honest_refreshes(chance: random.Random) -> Iterator[Move | None]:
    """A telephone that refreshes twelve times a day, at home, at work and under way in its provider's networks; one
    journey abroad in four months. None where it stayed in its network."""
    for _ in range(PEOPLE):
        at, last = NOW, Sighting(NOW, "Safari on iPhone", "home", TOKYO)
        seen, abroad_until = [last], 0
        for _ in range(DAYS * REFRESHES_A_DAY):
            at += 2 * HOUR_MS
            if at > abroad_until and chance.random() < 1 / (120 * REFRESHES_A_DAY):
                at, abroad_until = at + 14 * HOUR_MS, at + 7 * 24 * HOUR_MS
            elif last.position is LONDON and at > abroad_until:
                at += 14 * HOUR_MS
            if at <= abroad_until:
                now = Sighting(at, last.device, chance.choice(["hotel", "roaming"]), LONDON)
            else:
                mobile = f"mobile {chance.randrange(MOBILE_NETWORKS)}"
                now = Sighting(at, last.device, chance.choice(["home", "work", mobile]), TOKYO)
            if now.network == last.network:
                yield None
            else:
                known = now.network in {each.network for each in seen[-50:]}
                yield Move(now, Past((last, *reversed(seen[-50:]))), False)
                if not known:
                    seen.append(now)
            last = now


def stolen_tokens(chance: random.Random) -> Iterator[Move]:
    """A thief who goes on with the token within hours, from a network of their own; two in three in another browser,
    two in three abroad."""
    for _ in range(1000):
        here = Sighting(NOW, "Safari on iPhone", "home", TOKYO)
        position = chance.choice([LONDON, LYON, OSAKA])
        now = Sighting(NOW + round(chance.uniform(1, 9) * HOUR_MS), "Firefox on Linux", "thief", position)
        yield Move(now, Past((here,)), chance.random() < 2 / 3)


def test_V8_2_4_made_journeys_of_stolen_tokens_are_found_and_honest_people_left_in_peace() -> None:
    """The rates that the docs state."""
    chance = random.Random(20261127)
    honest = [0 if move is None else score(move) for move in honest_refreshes(chance)]
    thieves = [score(move) for move in stolen_tokens(chance)]

    def reach(scores: list[int], limit: int) -> float:
        return sum(each >= limit for each in scores) / len(scores)

    found = {limit: reach(thieves, limit) for limit in (20, 40, 60)}
    false = {limit: reach(honest, limit) for limit in (20, 40, 60)}
    # Measured: 90 %, 90 % and 68 % found; 0.06 % of the refreshes noted for nothing, none told.
    assert found[20] > 0.85, found
    assert found[40] > 0.85, found
    assert found[60] > 0.6, found
    assert false[20] < 0.001, false
    assert false[40] < 0.0001, false
