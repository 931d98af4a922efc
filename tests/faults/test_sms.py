"""FS-09, FS-23: whatever the gateway for text messages does, callers wait no longer, and mail goes on."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from typing import Any

import pytest

from delivery.sms_gateway import Gateway
from delivery.smtp_server import PostOffice
from faults.conftest import MakeSite
from faults.engines import ON_EVERY_ENGINE
from faults.mail import mail_server
from faults.site import Site, account, port_of, sign_in, until
from faults.wire import Wire
from free_ports import free_port
from live_server import LiveServer
from sekisho.delivery.webhooks.https_post import HttpsPost

pytestmark = pytest.mark.anyio

MESSAGES = 10
SLOW_S = 0.5
GATEWAY_SECRET = "Qm4vT8zWc1Kp7Yx3Rb9Ld5Hf2Gj6Ns0Ae-UiOtVyBwMk"


def offering_sms(make_site: MakeSite, port: int) -> Site:
    return make_site(
        SEKISHO_FACTORS__KINDS="totp,email,sms",
        SEKISHO_SMS__COUNTRIES="JP",
        SEKISHO_SMS__URL=f"http://127.0.0.1:{port}/send",
        SEKISHO_SMS__SECRET=GATEWAY_SECRET,
        SEKISHO_SMS__NUMBER_SENDS="100",
        SEKISHO_SMS__NUMBER_SENDS_PER_DAY="1000",
        SEKISHO_SMS__ACCOUNT_SENDS_PER_DAY="1000",
        SEKISHO_SMS__NETWORK_SENDS_PER_DAY="1000",
    )


class Caller:
    """A signed-in person who has codes sent again and again, to a number for each purpose of the test."""

    def __init__(self, server: LiveServer) -> None:
        self.wire = Wire(port_of(server))
        self.token = ""

    async def send(self, last_digit: int) -> list[float]:
        """Return how long each call took."""
        if not self.token:
            self.token = (await sign_in(self.wire)).access_token
        took = []
        for _ in range(MESSAGES):
            body = {"kind": "sms", "phone": f"+81901234567{last_digit}"}
            answer = await self.wire.call("POST", "auth/factors", body, token=self.token)
            assert answer.status == 201, answer.body
            took.append(answer.took_s)
        return took


def arrived(gateway: Gateway, last_digit: int) -> Counter[str]:
    return Counter(post.json["id"] for post in gateway.posts if post.json["to"].endswith(str(last_digit)))


async def all_arrived(gateway: Gateway, last_digit: int, within_s: float = 30) -> None:
    await until(lambda: len(arrived(gateway, last_digit)) == MESSAGES, within_s, f"the messages {last_digit}")


def assert_unchanged(disturbed: list[float], quiet: list[float]) -> None:
    """As in `faults.test_mail`: the fastest of many calls shows what was waited for, and not what else went on."""
    assert min(disturbed) < min(quiet) + SLOW_S / 2


@ON_EVERY_ENGINE
async def test_FS_09_a_gateway_that_is_down_slow_or_refusing_slows_nobody(make_site: MakeSite) -> None:
    port = free_port()
    site = offering_sms(make_site, port)
    await site.seed(account(0))
    with site.serving() as server:
        caller = Caller(server)
        gateway = Gateway()
        async with gateway.listening(port):
            quiet = await caller.send(1)
            await all_arrived(gateway, 1)

        down = await caller.send(2)
        gateway = Gateway(*[503] * (MESSAGES // 2), 202)
        async with gateway.listening(port):
            refused = await caller.send(3)
            await until(lambda: sum(arrived(gateway, 2).values()) >= MESSAGES, 40, "what waited")
            await all_arrived(gateway, 3, 40)

        gateway = Gateway(slow_s=SLOW_S)
        async with gateway.listening(port):
            slow = await caller.send(4)
            await all_arrived(gateway, 4)
            assert gateway.most_at_once <= 8
        for disturbed in (down, refused, slow):
            assert_unchanged(disturbed, quiet)
        assert "+8190" not in server.output()


@ON_EVERY_ENGINE
async def test_FS_09_a_gateway_that_stands_still_holds_up_no_mail(make_site: MakeSite) -> None:
    port = free_port()
    site = offering_sms(make_site, port)
    await site.seed(account(0))
    with site.serving() as server:
        caller = Caller(server)
        gateway, office = Gateway(slow_s=60), PostOffice()
        async with gateway.listening(port), mail_server(office, site.smtp_port):
            await caller.send(1)
            await caller.send(2)
            await until(lambda: gateway.at_once == 8, 30, "every place for text messages is taken")
            began = time.monotonic()
            body = {"email": "quick@example.com", "password": "korewa nagai himitsu", "client_id": "web"}
            assert (await caller.wire.call("POST", "auth/signup/send-code", body)).status == 200
            await until(
                lambda: any(letter["To"] == "quick@example.com" for letter in office.letters()), 8, "the letter"
            )
            assert time.monotonic() - began < 8
            assert gateway.at_once == 8


async def test_FS_23_a_name_that_is_looked_up_for_seconds_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, given_up = threading.Event(), threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        given_up.wait(60)
        answered.set()
        raise socket.gaierror("too late")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    post = HttpsPost("https://sms.example.com/", timeout_s=0.3)
    try:
        async with asyncio.timeout(30) as patience:
            with pytest.raises(TimeoutError):
                await post.post(b"{}", {})
        assert not patience.expired()
        assert not answered.is_set(), "the loop, or whoever sends, waited for the name server"
    finally:
        given_up.set()
