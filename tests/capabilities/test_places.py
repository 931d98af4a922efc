"""Roughly where an address is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from capabilities import tiny_mmdb
from sekisho.places import Places, PlacesUnusable, render_place

JAPAN = {"names": {"en": "Japan", "ja": "日本"}}
OSAKA = {"city": {"names": {"en": "Osaka", "ja": "大阪市"}}, "country": JAPAN}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "places.mmdb"
    path.write_bytes(tiny_mmdb.build({"1.2.3.0/24": OSAKA, "8.8.0.0/16": {"country": JAPAN}, "10.0.0.0/8": OSAKA}))
    return path


@pytest.fixture
def places(database: Path) -> Iterator[Places]:
    made = Places(database)
    yield made
    made.close()


def test_an_address_has_a_place_in_the_language_of_its_reader(places: Places) -> None:
    assert places.find("1.2.3.4") == "Osaka, Japan"
    assert places.find("1.2.3.4", "ja") == "日本 大阪市"
    assert places.find("1.2.3.4", "fr") == "Osaka, Japan"
    assert places.find("8.8.8.8", "ja") == "日本"


@pytest.mark.parametrize(
    "ip", ["9.9.9.9", "10.1.2.3", "127.0.0.1", "::1", "fe80::1", "2606:4700::1", "", "nonsense", "1.2.3"]
)
def test_private_unknown_and_malformed_addresses_have_no_place(places: Places, ip: str) -> None:
    assert places.find(ip) == ""


def test_without_a_file_nothing_has_a_place() -> None:
    assert Places(None).find("1.2.3.4") == ""


def test_a_missing_or_damaged_file_stops_the_start_and_is_named(tmp_path: Path, database: Path) -> None:
    damaged, empty, cut = tmp_path / "damaged.mmdb", tmp_path / "empty.mmdb", tmp_path / "cut.mmdb"
    damaged.write_bytes(b"not a database" * 100)
    empty.write_bytes(b"")
    cut.write_bytes(database.read_bytes()[:-40])
    for path in (damaged, empty, cut, tmp_path / "missing.mmdb", tmp_path):
        with pytest.raises(PlacesUnusable, match=path.name):
            Places(path)


@pytest.mark.parametrize(
    "found", [None, 7, "text", [], {}, {"city": 1}, {"city": {"names": []}}, {"country": {"names": {"en": 5}}}]
)
def test_a_record_of_another_layout_is_no_place(found: object) -> None:
    assert render_place(found, "en") == ""


def test_an_endless_name_is_cut() -> None:
    assert len(render_place({"country": {"names": {"en": "x" * 10_000}}}, "en")) == 100
