"""The rules: each looks at one sign-in and those before it, and says yes or no.

A score says how unusual that is by itself; the scores of a sign-in are added up. The first sign-in of an account has
nothing to be compared with: only the rules about failures look at it.

Spec: OWASP ASVS 5.0 row 6.3.5 (unusual sign-ins are told).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sekisho.anomalies.sightings import Past, Sighting, distance_km
from sekisho.model import Unusual

HOUR_MS = 3_600_000

MANY_FAILURES = 10
# Airliners cruise at 900 km/h; a place file is often wrong by a few hundred kilometres.
FASTEST_KM_PER_HOUR = 1000.0
NEAR_KM = 500.0


SCORES: Mapping[Unusual, int] = {
    Unusual.NEW_DEVICE: 30,
    Unusual.NEW_NETWORK: 10,
    Unusual.NEW_COUNTRY: 20,
    Unusual.IMPOSSIBLE_TRAVEL: 50,
    # Told by itself: the owner of a password that was guessed must hear of it.
    Unusual.MANY_FAILURES: 40,
    Unusual.SPRAYING: 60,
    Unusual.STUFFING: 20,
    # Below what is noted by default: telephones change networks all day.
    Unusual.REFRESH_NETWORK: 15,
    Unusual.REFRESH_DEVICE: 30,
}
MOST = 100


def new_device(now: Sighting, past: Past) -> bool:
    """A browser and system that none of the earlier sign-ins had."""
    known = {each.device for each in past.sign_ins if each.device}
    return bool(now.device and known) and now.device not in known


def new_network(now: Sighting, past: Past) -> bool:
    """A provider's network that none of the earlier sign-ins came from."""
    known = {each.network for each in past.sign_ins if each.network}
    return bool(now.network and known) and now.network not in known


def new_country(now: Sighting, past: Past) -> bool:
    """A country that none of the earlier sign-ins came from."""
    known = {each.country for each in past.sign_ins if each.country}
    return bool(now.country and known) and now.country not in known


def impossible_travel(now: Sighting, past: Past) -> bool:
    """Farther from the last located sign-in than an airliner flies in the time between."""
    last = next((each for each in past.sign_ins if each.position), None)
    if last is None or last.position is None or now.position is None:
        return False
    way_km = distance_km(last.position, now.position)
    # A clock that was put back makes no time of its own.
    hours = max(now.at - last.at, 0) / HOUR_MS
    return way_km > NEAR_KM and way_km > FASTEST_KM_PER_HOUR * hours


def many_failures(now: Sighting, past: Past) -> bool:
    """Ten refused tries or more since the last sign-in that succeeded."""
    return past.failures >= MANY_FAILURES


Rule = Callable[[Sighting, Past], bool]

RULES: Mapping[Unusual, Rule] = {
    Unusual.NEW_DEVICE: new_device,
    Unusual.NEW_NETWORK: new_network,
    Unusual.NEW_COUNTRY: new_country,
    Unusual.IMPOSSIBLE_TRAVEL: impossible_travel,
    Unusual.MANY_FAILURES: many_failures,
}

# Of a session that is used from another network. A move to another country is no new kind of sign-in, so the weights
# are those of a sign-in from there.
MOVE_RULES: Mapping[Unusual, Rule] = {
    Unusual.REFRESH_NETWORK: new_network,
    Unusual.NEW_COUNTRY: new_country,
    Unusual.IMPOSSIBLE_TRAVEL: impossible_travel,
}
