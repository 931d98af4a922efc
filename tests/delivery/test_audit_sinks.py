"""Where the audit trail goes: a file that others rotate, and a syslog server that comes and goes."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from pathlib import Path

import pytest
from msgspec import Struct

from certificates import Authority
from delivery.syslog_server import Collector
from free_ports import free_port
from sekisho.delivery.audit_file import FileSink
from sekisho.delivery.audit_syslog import SyslogSink, tls_by
from sekisho.ports.audit_sink import SinkUnavailable

pytestmark = pytest.mark.anyio

AT = 1_800_000_000_123


class Line(Struct, frozen=True):
    json: bytes
    is_failure: bool = False
    at: int = AT


def lines(*numbers: int) -> list[Line]:
    return [Line(b'{"seq":%d}' % number) for number in numbers]


async def test_a_file_gets_one_object_a_line_and_is_not_for_everybody(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")
    await sink.take(lines(1, 2))
    await sink.take(lines(3))
    assert (tmp_path / "audit.jsonl").read_bytes() == b'{"seq":1}\n{"seq":2}\n{"seq":3}\n'
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o007 == 0


async def test_a_file_may_be_rotated_by_renaming_it(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")
    await sink.take(lines(1))
    (tmp_path / "audit.jsonl").rename(tmp_path / "audit.jsonl.1")
    await sink.take(lines(2))
    assert (tmp_path / "audit.jsonl").read_bytes() == b'{"seq":2}\n'


async def test_a_file_is_written_again_after_its_shipping_died_and_began_anew(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "audit.jsonl")
    await sink.take(lines(1))
    await sink.close()
    await sink.take(lines(2))
    assert (tmp_path / "audit.jsonl").read_bytes() == b'{"seq":1}\n{"seq":2}\n'


async def test_a_line_that_was_cut_off_does_not_swallow_the_next_one(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_bytes(b'{"seq":1}\n{"se')
    await FileSink(tmp_path / "audit.jsonl").take(lines(2))
    assert (tmp_path / "audit.jsonl").read_bytes().split(b"\n")[-2] == b'{"seq":2}'


async def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(SinkUnavailable, match="No such file"):
        await FileSink(tmp_path / "nowhere" / "audit.jsonl").take(lines(1))


async def test_a_syslog_server_gets_whole_messages_of_rfc_5424() -> None:
    port, server = free_port(), Collector()
    sink = SyslogSink("127.0.0.1", port, None)
    async with server.listening(port):
        await sink.take([Line(b'{"seq":1,"city":"\xe5\xa4\xa7\xe9\x98\xaa"}'), Line(b'{"seq":2}', is_failure=True)])
        good, bad = await server.has(2)
        await sink.close()
    assert good.startswith("<86>1 2027-01-15T08:00:00.123+00:00 ")
    assert good.endswith(' audit - {"seq":1,"city":"大阪"}')
    assert bad.startswith("<84>1 ")
    assert len(good.split(" ", 7)) == 8


async def test_a_syslog_server_that_was_away_is_found_again() -> None:
    port, server = free_port(), Collector()
    sink = SyslogSink("127.0.0.1", port, None)
    with pytest.raises(SinkUnavailable):
        await sink.take(lines(1))
    async with server.listening(port):
        await sink.take(lines(1))
        await server.has(1)
    with pytest.raises(SinkUnavailable):
        await sink.take(lines(2))
    async with server.listening(port):
        await sink.take(lines(2))
        await server.has(2)
    await sink.close()


async def test_syslog_over_tls_believes_the_authority_that_it_is_given_and_no_other(tmp_path: Path) -> None:
    port, server = free_port(), Collector()
    ours, another = Authority(tmp_path / "ours", "Ours"), Authority(tmp_path / "another", "Another")
    identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identity.load_cert_chain(*ours.certify(host="127.0.0.1"))
    sink = SyslogSink("127.0.0.1", port, tls_by(str(ours.file)))
    deceived = SyslogSink("127.0.0.1", port, tls_by(str(another.file)))
    async with server.listening(port, identity):
        await sink.take(lines(1))
        await server.has(1)
        with pytest.raises(SinkUnavailable, match="certificate"):
            await deceived.take(lines(2))
        await sink.close()
    assert len(server.messages) == 1


async def test_a_disk_that_hangs_keeps_one_thread_however_often_it_is_tried(tmp_path: Path) -> None:
    # Nobody reads this pipe: what is written there waits as on a network disk that is gone.
    os.mkfifo(tmp_path / "audit.jsonl")
    reader = os.open(tmp_path / "audit.jsonl", os.O_RDONLY | os.O_NONBLOCK)
    sink, before = FileSink(tmp_path / "audit.jsonl"), threading.active_count()
    try:
        for _ in range(4):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await sink.take([Line(b"x" * 200_000)])
        assert threading.active_count() - before == 1
    finally:
        await _drain(reader)
        await sink.close()


async def _drain(reader: int) -> None:
    """Let whoever waits for this pipe go on."""
    rests = 0
    while rests < 10:
        try:
            rests = 0 if os.read(reader, 1 << 20) else rests + 1
        except BlockingIOError:
            rests += 1
        await asyncio.sleep(0.01)
    os.close(reader)
