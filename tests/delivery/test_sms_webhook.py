"""The gateway for text messages: what is posted, where to, and what each answer means."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from certificates import Authority
from delivery.sms_gateway import Gateway
from free_ports import free_port
from sekisho.delivery.webhooks.https_post import HttpsPost, PostFailed
from sekisho.delivery.webhooks.signed_post import SignedPost
from sekisho.delivery.webhooks.sms import GatewayRefuses, SmsWebhook, WebhookSettings
from sekisho.ports.mail import SmsRefused, TextMessage

pytestmark = pytest.mark.anyio

SECRET = "kY3nB8wQe5Rt1Zp7Vx2Mc9Lh4Gj6Fd0Sa-UiOyTbNmKz"
MESSAGE = TextMessage("+819012345678", "123456 です")
DOCS = Path(__file__).parents[2] / "docs"
NOW_S = 1_800_000_000


class Clock:
    def now(self) -> int:
        return NOW_S * 1000


def webhook(url: str, *, tls: ssl.SSLContext | None = None, timeout_s: float = 5, **settings: str) -> SmsWebhook:
    post = HttpsPost(url, timeout_s=timeout_s, tls=tls)
    return SmsWebhook(SignedPost(post, SECRET, Clock()), WebhookSettings(**settings))


async def test_V4_1_5_what_is_posted_is_signed_with_its_time() -> None:
    gateway = Gateway()
    async with gateway.listening() as port:
        sender = webhook(
            f"http://localhost:{port}/send?team=a", token="Bearer open sesame", header="X-Key", sender="Tea"
        )
        await sender.send(MESSAGE, "id-1")
    (post,) = gateway.posts
    assert post.line == "POST /send?team=a HTTP/1.1"
    assert post.json == {"id": "id-1", "to": "+819012345678", "text": "123456 です", "from": "Tea"}
    signed = hmac.new(SECRET.encode(), f"{NOW_S}.".encode() + post.body, hashlib.sha256).hexdigest()
    assert post.headers["sekisho-signature"] == f"t={NOW_S},v1={signed}"
    assert (post.headers["x-key"], post.headers["idempotency-key"]) == ("Bearer open sesame", "id-1")
    assert (post.headers["content-type"], post.headers["host"]) == ("application/json", f"localhost:{port}")
    assert SECRET not in repr(post.headers)


async def test_without_token_and_sender_neither_is_sent() -> None:
    gateway = Gateway()
    async with gateway.listening() as port:
        await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id-1")
    assert "authorization" not in gateway.posts[0].headers
    assert set(gateway.posts[0].json) == {"id", "to", "text"}


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_2xx_is_a_yes(status: int) -> None:
    async with Gateway(status).listening() as port:
        await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_a_no_for_good_is_not_asked_again(status: int) -> None:
    async with Gateway(status).listening() as port:
        with pytest.raises(SmsRefused, match=f"HTTP {status}"):
            await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 502, 503])
async def test_everything_else_may_go_better_later(status: int) -> None:
    async with Gateway(status).listening() as port:
        with pytest.raises(GatewayRefuses) as refused:
            await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")
    assert refused.value.code == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_V15_3_2_no_redirect_is_followed(status: int) -> None:
    elsewhere = Gateway()
    async with elsewhere.listening() as other:
        gateway = Gateway(status, headers=f"Location: http://127.0.0.1:{other}/\r\n")
        async with gateway.listening() as port:
            with pytest.raises(GatewayRefuses):
                await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")
    assert elsewhere.posts == []


@pytest.mark.parametrize(
    "raw", [b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, b"SSH-2.0-x\r\n", b"\x16\x03\x01\r\n\r\n"]
)
async def test_what_is_no_answer_is_a_failure_and_is_not_read_for_ever(raw: bytes) -> None:
    async with Gateway(raw=raw).listening() as port:
        with pytest.raises(PostFailed):
            await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")


async def test_a_gateway_that_says_nothing_is_left() -> None:
    gateway = Gateway(slow_s=30)
    async with gateway.listening() as port:
        with pytest.raises(TimeoutError):
            await webhook(f"http://127.0.0.1:{port}/", timeout_s=0.2).send(MESSAGE, "id")


async def test_a_name_that_no_host_can_have_is_a_failure() -> None:
    with pytest.raises(PostFailed, match="no name"):
        await webhook(f"https://{'a' * 64}.example/").send(MESSAGE, "id")


async def test_a_gateway_that_is_away_is_a_failure() -> None:
    async with Gateway().listening() as port:
        pass
    with pytest.raises(OSError, match=r"refused|failed"):
        await webhook(f"http://127.0.0.1:{port}/").send(MESSAGE, "id")


async def test_V12_3_1_the_certificate_must_be_the_hosts(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    trusting = ssl.create_default_context(cafile=str(authority.file))
    for host, is_right in (("localhost", True), ("other.example", False)):
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(*authority.certify(host=host))
        gateway = Gateway()
        async with gateway.listening(tls=serving) as port:
            url = f"https://localhost:{port}/"
            if is_right:
                await webhook(url, tls=trusting).send(MESSAGE, "id")
                with pytest.raises(ssl.SSLError):
                    await webhook(url).send(MESSAGE, "id")
            else:
                with pytest.raises(ssl.SSLError):
                    await webhook(url, tls=trusting).send(MESSAGE, "id")
        assert len(gateway.posts) == is_right


def _named(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Let any name stand for these addresses, one look-up after the other; return the names that were asked for."""
    asked: list[str] = []
    left = list(answers)

    async def look_up(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "fd00::1",
        "100.64.0.1",
        "::ffff:10.0.0.7",
        "64:ff9b::10.0.0.7",
        "64:ff9b:1::10.0.0.7",
        "2002:a00:7::1",
        "2001:0:a00:7::1",
        "::10.0.0.7",
        "fec0::1",
    ],
)
async def test_V1_3_6_KA_033_a_name_that_stands_for_something_inside_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _named(monkeypatch, address)
    with pytest.raises(PostFailed, match="out of bounds"):
        await webhook("https://sms.example.com/").send(MESSAGE, "id")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "224.0.0.1",
        "0.0.0.0",
        "::",
    ],
)
async def test_V1_3_6_a_gateway_in_a_private_network_is_still_no_door_to_this_machine(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _named(monkeypatch, address)
    with pytest.raises(PostFailed, match="out of bounds"):
        await HttpsPost("https://sms.example.com/", may_be_private=True).post(b"{}", {})


@pytest.mark.parametrize("address", ["203.0.114.7", "2a00::7", "64:ff9b::203.0.114.7"])
async def test_a_public_address_is_in_bounds_also_behind_the_translation_of_a_network_without_ipv4(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _named(monkeypatch, address)
    reached: list[str] = []

    async def connect(host: str, port: int, **_: Any) -> Any:
        reached.append(host)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(ConnectionRefusedError):
        await HttpsPost("https://sms.example.com/").check()
    assert len(reached) == 1


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.1", "fd00::1"])
async def test_a_private_network_is_reached_where_the_operator_says_so(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    _named(monkeypatch, address)
    reached: list[str] = []

    async def connect(host: str, port: int, **_: Any) -> Any:
        reached.append(host)
        raise OSError("far enough")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(OSError, match="far enough"):
        await HttpsPost("https://sms.example.com/", may_be_private=True).post(b"{}", {})
    assert reached == [address]


async def test_V1_3_6_KA_033_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = _named(monkeypatch, "8.8.8.8", "127.0.0.1")
    reached: list[tuple[str, str | None]] = []

    async def connect(host: str, port: int, *, server_hostname: str | None, **_: Any) -> Any:
        reached.append((host, server_hostname))
        raise OSError("far enough")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    with pytest.raises(OSError, match="far enough"):
        await webhook("https://sms.example.com/").send(MESSAGE, "id")
    assert asked == ["sms.example.com"]
    assert reached == [("8.8.8.8", "sms.example.com")]


@pytest.mark.parametrize(
    "url",
    [
        "http://sms.example.com/",
        "ftp://sms.example.com/",
        "file:///etc/passwd",
        "https://user@sms.example.com/",
        "https://",
        "https://sms.example.com/#x",
        "https://sms.example.com/a b",
        "https://sms.example.com:0/",
        "https://sms.example.com:99999/",
        "https://sms.example.com/\r\nX: y",
        "//sms.example.com/",
        "http://127.0.0.1.nip.io/",
        "http://2130706433/",
    ],
)
def test_V1_3_6_an_address_that_is_not_plain_https_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|http|Port"):
        HttpsPost(url)


def receiver(language: str) -> str:
    found = re.search(
        r"^```python\n(.*?)^```$", (DOCS / language).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


async def test_the_receiver_of_the_document_takes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    assert receiver("how-to/sms.md") == receiver("ja/how-to/sms.md")
    (tmp_path / "receiver.py").write_text(receiver("how-to/sms.md"), encoding="utf-8")
    port = free_port()
    environ = {**os.environ, "SEKISHO_SMS__SECRET": SECRET, "PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "receiver.py",
        cwd=tmp_path,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _listening(port)
        url = f"http://127.0.0.1:{port}/"

        class Now:
            def __init__(self, late_s: int = 0) -> None:
                self.late_s = late_s

            def now(self) -> int:
                return round((time.time() - self.late_s) * 1000)

        def sender(secret: str = SECRET, late_s: int = 0) -> SmsWebhook:
            return SmsWebhook(SignedPost(HttpsPost(url), secret, Now(late_s)), WebhookSettings())

        for wrong in (sender("another secret"), sender(late_s=301)):
            with pytest.raises(GatewayRefuses) as refused:
                await wrong.send(MESSAGE, "id-0")
            assert refused.value.code == 401
        for message_id in ("id-1", "id-1", "id-2"):
            await sender().send(MESSAGE, message_id)
    finally:
        process.terminate()
        printed, _ = await process.communicate()
    assert printed.decode().splitlines() == ["to +819012345678 123456 です"] * 2


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.transport.abort()
                return
