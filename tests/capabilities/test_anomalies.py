"""The rules for unusual sign-ins: one by one, and on made journeys, how much they find and how often for nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sekisho.anomalies.floods import (
    MOST_NETWORKS,
    MOST_TAGS,
    SPRAYED_ADDRESSES,
    STUFFED_NETWORKS,
    WINDOW_MS,
    Floods,
)
from sekisho.anomalies.rules import (
    HOUR_MS,
    MANY_FAILURES,
    MOVE_RULES,
    RULES,
    SCORES,
    impossible_travel,
    many_failures,
    new_country,
    new_device,
    new_network,
)
from sekisho.anomalies.sightings import Past, Sighting, distance_km, network_of
from sekisho.model import Unusual
from sekisho.places import Position, read_position

NOW = 1_800_000_000_000
TOKYO, OSAKA = Position("JP", 35.68, 139.77), Position("JP", 34.69, 135.50)
LONDON, LYON = Position("GB", 51.51, -0.13), Position("FR", 45.76, 4.84)

HOME = Sighting(NOW, "Chrome on Windows", "203.0.113.0/24", TOKYO)


def seen(hours_ago: float = 24, **given: object) -> Sighting:
    values = {"device": HOME.device, "network": HOME.network, "position": TOKYO} | given
    return Sighting(NOW - round(hours_ago * HOUR_MS), **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("", ""),
        ("no address", ""),
    ],
)
def test_a_network_is_what_a_provider_hands_out(ip: str, network: str) -> None:
    assert network_of(ip) == network


def test_distances_are_those_of_the_map() -> None:
    assert distance_km(TOKYO, OSAKA) == pytest.approx(403, rel=0.02)
    assert distance_km(TOKYO, LONDON) == pytest.approx(9560, rel=0.02)


def test_what_was_never_seen_is_new_and_a_first_sign_in_is_not() -> None:
    past = Past((seen(),))
    assert new_device(seen(0, device="Safari on iPhone"), past)
    assert not new_device(HOME, past)
    assert new_network(seen(0, network="198.51.100.0/24"), past)
    assert new_country(seen(0, position=LONDON), past)
    for rule in (new_device, new_network, new_country):
        assert not rule(HOME, Past())


@pytest.mark.parametrize("rule", [new_device, new_network, new_country, impossible_travel])
def test_nothing_is_concluded_from_what_is_not_known(rule: object) -> None:
    nothing = Sighting(NOW, "", "", None)
    assert not rule(nothing, Past((seen(),)))  # type: ignore[operator]
    assert not rule(HOME, Past((Sighting(NOW - 1, "", "", None),)))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("there", "hours", "is_impossible"),
    [(LONDON, 2, True), (LONDON, 14, False), (OSAKA, 0, False), (LYON, 0, True), (LONDON, -5, True)],
)
def test_a_journey_takes_its_time(there: Position, hours: float, is_impossible: bool) -> None:
    assert impossible_travel(seen(0, position=there), Past((seen(hours),))) is is_impossible


def test_ten_failures_are_many() -> None:
    assert not many_failures(HOME, Past((), MANY_FAILURES - 1))
    assert many_failures(HOME, Past((), MANY_FAILURES))


@pytest.mark.parametrize(
    "record",
    [
        None,
        {},
        {"country": {"iso_code": "JP"}},
        {"country": {"iso_code": 7}, "location": {"latitude": 1.0, "longitude": 1.0}},
        {"country": {"iso_code": "JP"}, "location": {"latitude": 91.0, "longitude": 1.0}},
        {"country": "JP", "location": []},
    ],
)
def test_a_damaged_place_is_nowhere(record: object) -> None:
    assert read_position(record) is None


class TestFloods:
    def test_one_network_that_tries_many_accounts_is_spraying_until_it_rests(self) -> None:
        floods = Floods()
        for number in range(SPRAYED_ADDRESSES):
            assert not floods.is_spraying("192.0.2.1", NOW)
            floods.failed(f"192.0.2.{number}", f"tag {number}", NOW)
        assert floods.is_spraying("192.0.2.200", NOW)
        assert not floods.is_spraying("198.51.100.1", NOW)
        assert not floods.is_spraying("192.0.2.1", NOW + WINDOW_MS)

    def test_one_person_who_forgot_a_password_sprays_nothing(self) -> None:
        floods = Floods()
        for _ in range(1000):
            floods.failed("192.0.2.1", "one tag", NOW)
        assert not floods.is_spraying("192.0.2.1", NOW)

    def test_many_networks_with_many_accounts_are_stuffing_until_they_rest(self) -> None:
        floods = Floods()
        for number in range(STUFFED_NETWORKS * 2):
            floods.failed(f"10.0.{number}.1", f"tag {number}", NOW)
        assert floods.is_stuffing(NOW + 1000)
        assert not floods.is_stuffing(NOW + WINDOW_MS + 1000)

    def test_memory_is_bounded_whatever_comes(self) -> None:
        floods = Floods()
        for number in range(MOST_NETWORKS + 500):
            floods.failed(f"10.{number // 256}.{number % 256}.1", "tag", NOW)
        for number in range(MOST_TAGS * 2):
            floods.failed("192.0.2.1", f"tag {number}", NOW)
        assert len(floods._networks) == MOST_NETWORKS
        assert len(floods._networks["192.0.2.0/24"].tags) == MOST_TAGS


def score(now: Sighting, past: Past) -> int:
    return sum(SCORES[reason] for reason, applies in RULES.items() if applies(now, past))


def honest_lives(chance: random.Random) -> Iterator[tuple[Sighting, Past]]:
    """A thousand people over sixty sign-ins each: a home, work and two devices; three journeys and one new telephone a
    year, at two sign-ins a day."""
    for _ in range(1000):
        past: list[Sighting] = []
        devices, networks = ["Chrome on Windows", "Safari on iPhone"], ["home", "work", "mobile"]
        at, position = NOW, TOKYO
        for _ in range(60):
            at += round(chance.uniform(6, 18) * HOUR_MS)
            if chance.random() < 1 / 730:
                devices[1] = f"Telephone {at}"
            network = chance.choice(networks)
            if chance.random() < 3 / 730:
                # There and, at the next sign-in, at home again; a flight lies between.
                position, network, at = LONDON, "hotel", at + 14 * HOUR_MS
            elif position is LONDON:
                position, at = TOKYO, at + 14 * HOUR_MS
            now = Sighting(at, chance.choice(devices), network, position)
            # The first ten are how the server gets to know somebody.
            if len(past) > 10:
                yield now, Past(tuple(reversed(past)))
            past.append(now)


def stolen_passwords(chance: random.Random) -> Iterator[tuple[Sighting, Past]]:
    """A thousand thieves: another device, another network, mostly another country, soon after the owner."""
    for _ in range(1000):
        position = chance.choice([LONDON, LYON, OSAKA])
        yield (
            seen(0, device="Firefox on Linux", network="thief", position=position),
            Past((seen(chance.uniform(1, 9)),)),
        )


def test_V6_3_5_made_journeys_are_found_and_honest_people_left_in_peace() -> None:
    """The rates that the docs state, with the default of the letter (a score of 40)."""
    chance = random.Random(20261127)
    honest = [score(now, past) >= 40 for now, past in honest_lives(chance)]
    thieves = [score(now, past) >= 40 for now, past in stolen_passwords(chance)]
    false_alarms, found = sum(honest) / len(honest), sum(thieves) / len(thieves)
    # Measured: all of them, and 1 in 10,000.
    assert found > 0.99, found
    assert false_alarms < 0.001, false_alarms


def test_every_reason_has_a_score_and_a_rule_or_a_flood() -> None:
    assert set(SCORES) == set(Unusual)
    floods_and_devices = {Unusual.SPRAYING, Unusual.STUFFING, Unusual.REFRESH_DEVICE}
    assert set(Unusual) - set(RULES) - set(MOVE_RULES) == floods_and_devices
