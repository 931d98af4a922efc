"""A value of one kind at the door of another, and values with one character changed: nothing opens, nothing moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attacks.held import DOORS, KEYS, REFUSED, held_values
from attacks.support import TRACES, rows, told
from http_site import Site

pytestmark = pytest.mark.anyio

# A code may be tried: that is counted on its row.
COUNTED = TRACES | {"one_time_codes"}


async def test_KA_061_KA_068_V9_2_2_no_value_passes_for_another_kind(site: Site, tmp_path: Path) -> None:
    held = await held_values(site)
    before = rows(tmp_path, without=COUNTED)

    wrongly = {}
    for number, (door, name) in enumerate((door, name) for door in DOORS for name in held if name != KEYS[door]):
        # Each from an address of its own: what is looked for here is not the limit.
        answer = told(await DOORS[door](site.client(ip=f"198.51.100.{number}"), held[name], held))
        if answer[1] not in REFUSED[door]:
            wrongly[door, name] = answer

    assert wrongly == {}
    assert rows(tmp_path, without=COUNTED) == before


async def test_every_door_opens_to_its_own_key(site: Site) -> None:
    held = await held_values(site)

    answers = {}
    for door in ("bearer", "session_cookie", "csrf", "refresh_cookie", "refresh_token", "password"):
        answers[door] = told(await DOORS[door](site.client(), held[KEYS[door]], held))

    # The refresh cookie is recognised, and then asks for its CSRF value.
    assert answers.pop("refresh_cookie") == (403, "csrf_failed")
    assert set(answers.values()) == {(200, "")}
    assert (await DOORS["code"](site.client(), held["code"], held)).status_code == 201
    assert (await DOORS["session_id"](site.client(), held["session_id"], held)).status_code == 200


async def test_KA_067_V11_2_5_one_changed_character_is_refused(site: Site, tmp_path: Path) -> None:
    held = await held_values(site)
    before = rows(tmp_path, without=COUNTED)

    wrongly = {}
    for door in ("bearer", "session_cookie", "refresh_token", "refresh_cookie", "csrf", "pending"):
        for number, bent in enumerate(bent_values(held[KEYS[door]])):
            answer = told(await DOORS[door](site.client(), bent, held))
            if answer[1] not in REFUSED[door]:
                wrongly[door, number] = answer

    assert wrongly == {}
    assert rows(tmp_path, without=COUNTED) == before


def bent_values(good: str) -> Iterator[str]:
    """Yield the value with one character changed in about two dozen places, cut, longer, and turned around."""
    for place in sorted({*range(0, len(good), max(1, len(good) // 24)), len(good) - 1}):
        yield good[:place] + ("A" if good[place] != "A" else "B") + good[place + 1 :]
    yield from (good[:-1], good + "A", good.swapcase(), good[::-1])


async def test_KA_067_an_invented_device_mark_spares_nobody_the_limits(site: Site) -> None:
    page = await site.browser().ready()
    await site.client().signed_in()
    body = {"email": "hana@example.com", "password": "wrong password!", "client_id": "web"}

    answers = [
        (await page.post("auth/login", body, cookie=f"sekisho-device=invented-{number}")).status_code
        for number in range(6)
    ]

    assert answers == [401] * 5 + [429]
