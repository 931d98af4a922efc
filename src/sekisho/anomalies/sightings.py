"""What is known of a sign-in: coarse on purpose, so that nobody is tracked by it.

The fingerprint of a device is its browser and system as a person would say them ("Chrome on Windows"), no version, no
list of fonts, nothing that is asked of a script. A network is the part of an address that a provider hands out: /24 of
IPv4, /48 of IPv6. A position comes from the operator's place file, or is not known.
"""

from __future__ import annotations

import ipaddress
import math
from functools import lru_cache

from msgspec import Struct

from sekisho.devices import DeviceReader
from sekisho.model import Millis, Origin, Trace
from sekisho.places import Places, Position

_EARTH_RADIUS_KM = 6371.0


class Sighting(Struct, frozen=True):
    """When and from where somebody signed in. device, network and country are "" where nothing is known."""

    at: Millis
    device: str
    network: str
    position: Position | None = None

    @property
    def country(self) -> str:
        return self.position.country if self.position else ""


class Past(Struct, frozen=True):
    """sign_ins: those that succeeded, newest first; of several from one place only the newest. failures: refused tries
    since the newest of them."""

    sign_ins: tuple[Sighting, ...] = ()
    failures: int = 0


class Looker:
    """Turns what is known of a request into a sighting."""

    def __init__(self, devices: DeviceReader, places: Places) -> None:
        self._devices = devices
        self._locate = lru_cache(maxsize=4096)(places.locate)

    def look(self, at: Millis, origin: Origin) -> Sighting:
        """Return what a request says of itself."""
        return self.place(at, origin.ip, self._devices.read_origin(origin).name)

    def could_be(self, device: str, origin: Origin) -> bool:
        """Whether a request may come from the device of this name. A session that began before its browser sent hints
        is named by the user agent alone."""
        return device in (self._devices.read_origin(origin).name, self._devices.read(origin.user_agent).name)

    def recall(self, trace: Trace) -> Sighting:
        """Return what the trail kept of a sign-in."""
        return self.place(trace.at, trace.ip, trace.device or self._devices.read(trace.user_agent).name)

    def place(self, at: Millis, ip: str, device: str) -> Sighting:
        return Sighting(at, device, network_of(ip), self._locate(ip))


@lru_cache(maxsize=4096)
def network_of(ip: str) -> str:
    """Return the provider's part of an address; "" for what is none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def distance_km(one: Position, other: Position) -> float:
    """Return the shortest way over the ground (haversine; the earth as a ball, good to half a percent)."""
    lat1, lat2 = math.radians(one.latitude), math.radians(other.latitude)
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(other.longitude - one.longitude) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * _EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, chord)))
