"""Roughly where an address is, from a MaxMind database that the operator brings; without one, nowhere.

For people to recognise a session by, and one hint among others for what is unusual: the data is often wrong by a city.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

import maxminddb
from msgspec import Struct

_MAX_NAME = 100


class Position(Struct, frozen=True):
    """Roughly where an address is. country: two letters (ISO 3166-1); degrees, east and north positive."""

    country: str
    latitude: float
    longitude: float


class PlacesUnusable(Exception):
    """The database is missing, unreadable or damaged. The text names the file, for the operator."""


class Places:
    """Finds places in the file at `path`; with None, no address has a place.

    Raises:
        PlacesUnusable: at construction, so that a wrong setting stops the start and no request.
    """

    def __init__(self, path: Path | str | None = None) -> None:
        self._reader = None if path is None else _open(Path(path))

    def find(self, ip: str, locale: str = "en") -> str:
        """Return "Osaka, Japan" or 「日本 大阪市」; the country alone, or "", where no more is known."""
        return render_place(self._get(ip), locale)

    def locate(self, ip: str) -> Position | None:
        """Return the position; None where country or coordinates are not known."""
        return read_position(self._get(ip))

    def _get(self, ip: str) -> object:
        # Without a file nothing is parsed: a look at an unusual sign-in asks for fifty addresses.
        address = None if self._reader is None else _public_address(ip)
        if self._reader is None or address is None:
            return None
        try:
            return self._reader.get(address)
        except (maxminddb.InvalidDatabaseError, ValueError):
            # A damaged record, or an IPv6 address in a database of IPv4 only.
            return None

    def close(self) -> None:
        """Let go of the file."""
        if self._reader is not None:
            self._reader.close()


def render_place(found: object, locale: str) -> str:
    """Return a record (MaxMind's City or Country layout, untrusted) as people write a place."""
    city, country = _name(found, "city", locale), _name(found, "country", locale)
    parts = [country, city] if locale == "ja" else [city, country]
    return (" " if locale == "ja" else ", ").join(part for part in parts if part)


def read_position(found: object) -> Position | None:
    """Return the position in a record (MaxMind's City layout, untrusted), if it says one."""
    country, place = _part(found, "country").get("iso_code"), _part(found, "location")
    latitude, longitude = place.get("latitude"), place.get("longitude")
    if not isinstance(country, str) or not isinstance(latitude, float) or not isinstance(longitude, float):
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Position(country[:2], latitude, longitude)


def _part(found: object, name: str) -> Mapping[str, object]:
    part = found.get(name) if isinstance(found, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _name(found: object, part: str, locale: str) -> str:
    entry = found.get(part) if isinstance(found, Mapping) else None
    names = entry.get("names") if isinstance(entry, Mapping) else None
    if not isinstance(names, Mapping):
        return ""
    name = names.get(locale) or names.get("en")
    return name[:_MAX_NAME] if isinstance(name, str) else ""


def _open(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except OSError as error:
        raise PlacesUnusable(f"cannot read the place database {path}: {error.strerror or error}") from error
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise PlacesUnusable(f"{path} is not a MaxMind database, or is damaged") from error


def _public_address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return None
    return address if address.is_global else None
