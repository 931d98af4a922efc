"""Mail and text messages leave by one worker and do not stand in each other's way."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from sekisho.delivery.text_messages import render_text
from sekisho.delivery.ways import GatewayBusy, Ways
from sekisho.master_secret import MasterSecret
from sekisho.model import Channel, Mail
from sekisho.outbox import REQUIRED_TEXT_VALUES, Outbox, TextKind
from sekisho.ports.mail import SmsGateway, SmsRefused, TextMessage

pytestmark = pytest.mark.anyio

as_text = partial(render_text, product_name="Tea House", host="auth.tea.example")


def a_text(to: str = "+819012345678", locale: str = "ja", code: str = "012345", minutes: str = "10") -> Mail:
    values = {"code": code, "minutes": minutes}
    return Mail(kind=TextKind.FACTOR_CODE, to=to, locale=locale, values=values, channel=Channel.SMS)


class Post:
    """Takes letters."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def send(self, mail: Mail, message_id: str) -> None:
        self.taken.append(message_id)


class Phones:
    """Takes text messages once the door is open."""

    def __init__(self) -> None:
        self.door = asyncio.Event()
        self.taken: list[TextMessage] = []

    async def send(self, message: TextMessage, message_id: str) -> None:
        await self.door.wait()
        self.taken.append(message)


def ways(gateway: SmsGateway | None) -> tuple[Ways, Post]:
    post = Post()
    return Ways(post, gateway, as_text, at_once=2), post


async def test_each_goes_its_way() -> None:
    phones = Phones()
    phones.door.set()
    out, post = ways(phones)
    await out.send(Mail(kind="sign_up_code", to="hana@example.com", locale="en"), "letter")
    await out.send(a_text(), "text")
    assert (post.taken, [message.to for message in phones.taken]) == (["letter"], ["+819012345678"])


async def test_a_gateway_that_stands_still_leaves_places_for_mail() -> None:
    phones = Phones()
    out, post = ways(phones)
    stuck = [asyncio.create_task(out.send(a_text(), f"text-{number}")) for number in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(GatewayBusy):
        async with asyncio.timeout(1):
            await out.send(a_text(), "text-3")
    await out.send(Mail(kind="sign_up_code", to="hana@example.com", locale="en"), "letter")
    assert post.taken == ["letter"]
    phones.door.set()
    await asyncio.gather(*stuck)
    await out.send(a_text(), "text-4")
    assert len(phones.taken) == 3


async def test_a_place_is_free_again_after_a_failure() -> None:
    class Broken:
        async def send(self, message: TextMessage, message_id: str) -> None:
            raise OSError("broken")

    out, _ = ways(Broken())
    for _ in range(5):
        with pytest.raises(OSError, match="broken"):
            await out.send(a_text(), "text")


async def test_where_there_is_no_gateway_a_message_is_given_up() -> None:
    out, _ = ways(None)
    with pytest.raises(SmsRefused, match="no gateway"):
        await out.send(a_text(), "text")


@pytest.mark.parametrize(("locale", "longest"), [("ja", 140), ("en", 160), ("fr", 160)])
def test_a_message_says_product_code_and_time_and_ends_with_the_host_it_is_bound_to(locale: str, longest: int) -> None:
    text = as_text(a_text(locale=locale)).text
    *_, empty, last = text.split("\n")
    assert (empty, last) == ("", "@auth.tea.example #012345")
    for said in ("Tea House", "012345", "10 分間" if locale == "ja" else "10 minutes"):
        assert said in text
    assert ("誰にも" in text) == (locale == "ja")
    assert len(text) <= longest


@pytest.mark.parametrize("to", ["", "09012345678", "+0123456789", "+81 90 1234 5678", "+819012345678\nBcc: x", "x@y.z"])
def test_only_a_number_in_the_form_of_E164_gets_a_message(to: str) -> None:
    with pytest.raises(SmsRefused, match="unsafe number"):
        as_text(a_text(to))


def test_a_value_cannot_write_a_line_of_its_own() -> None:
    text = render_text(a_text(), product_name="Tea\n@evil.example #666666", host="auth.tea.example").text
    assert [line for line in text.split("\n") if line.startswith("@")] == ["@auth.tea.example #012345"]


def test_a_text_message_needs_exactly_its_values() -> None:
    assert REQUIRED_TEXT_VALUES.keys() == set(TextKind)
    outbox = Outbox(MasterSecret(b"x" * 43))
    with pytest.raises(ValueError, match="needs"):
        outbox.text_message(
            TextKind.FACTOR_CODE, to="+819012345678", locale="en", now=0, expires_at=1, code="1", name="x"
        )
