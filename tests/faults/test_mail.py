"""FS-09: whatever the mail server does, callers wait no longer, and letters arrive when it is back."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from delivery.smtp_server import PostOffice
from faults.engines import ON_EVERY_ENGINE
from faults.mail import mail_server
from faults.site import Site, port_of, until
from faults.wire import Wire
from live_server import LiveServer

pytestmark = pytest.mark.anyio

LETTERS = 12
SLOW_S = 0.5


async def send_codes(server: LiveServer, name: str) -> list[float]:
    wire, took = Wire(port_of(server)), []
    for number in range(LETTERS):
        body = {"email": f"{name}-{number}@example.com", "password": "korewa nagai himitsu", "client_id": "web"}
        answer = await wire.call("POST", "auth/signup/send-code", body)
        assert answer.status == 200, answer.body
        took.append(answer.took_s)
    return took


def arrived(office: PostOffice, name: str) -> Counter[str]:
    """How often each letter came, by its Message-ID."""
    return Counter(letter["Message-ID"] for letter in office.letters() if letter["To"].startswith(f"{name}-"))


async def all_arrived(office: PostOffice, name: str, within_s: float = 60) -> None:
    await until(lambda: len(arrived(office, name)) == LETTERS, within_s, f"the letters {name}")
    assert max(arrived(office, name).values()) <= 2, "one duplicate at most"


def assert_unchanged(disturbed: list[float], quiet: list[float]) -> None:
    """No answer waited for mail: to the fastest, which others on the machine delayed least, less was added than half of
    the shortest delay that these tests make."""
    assert min(disturbed) < min(quiet) + SLOW_S / 2


@ON_EVERY_ENGINE
async def test_FS_09_a_mail_server_that_is_down_slow_or_greylisting_slows_nobody(site: Site) -> None:
    with site.serving() as server:
        office = PostOffice()
        async with mail_server(office, site.smtp_port):
            await send_codes(server, "warm")
            quiet = await send_codes(server, "quiet")
            await all_arrived(office, "quiet")

        down = await send_codes(server, "down")
        # Half of them meet a 451 when it is back: greylisting.
        office = PostOffice(replies=("451 come again",) * (LETTERS // 2))
        async with mail_server(office, site.smtp_port):
            greylisted = await send_codes(server, "greylisted")
            await all_arrived(office, "down")
            await all_arrived(office, "greylisted")

        office = PostOffice(slow_s=SLOW_S)
        async with mail_server(office, site.smtp_port):
            slow = await send_codes(server, "slow")
            await all_arrived(office, "slow")
    for disturbed in (down, greylisted, slow):
        assert_unchanged(disturbed, quiet)
    assert site.value("SELECT count(*) FROM outbox WHERE error IS NOT NULL") == 0


@ON_EVERY_ENGINE
async def test_FS_09_a_recipient_refused_for_good_is_not_asked_for_again(site: Site) -> None:
    with site.serving() as server:
        office = PostOffice(replies=("550 no such user",))
        async with mail_server(office, site.smtp_port):
            await send_codes(server, "refused")
            await until(lambda: len(arrived(office, "refused")) == LETTERS - 1, 60, "the letters of the others")
            given_up = "SELECT count(*) FROM outbox WHERE due_at IS NULL AND sealed IS NULL"
            await until(lambda: site.value(given_up) == 1, 30, "giving up")
        assert "refused-0@example.com" not in server.output()


@pytest.mark.heavy
async def test_FS_09_thirty_slow_seconds_end_in_a_letter_and_not_in_two(site: Site) -> None:
    with site.serving() as server:
        office = PostOffice()
        async with mail_server(office, site.smtp_port):
            quiet = await send_codes(server, "quiet")
            await all_arrived(office, "quiet")
            office.slow_s = 31
            slow = await send_codes(server, "slow")
            await asyncio.sleep(1)
            office.slow_s = 0
            await all_arrived(office, "slow", 120)
    assert_unchanged(slow, quiet)
