"""FS-29: the sink of the audit trail is away, and the server dies beside: everything arrives when both are back."""

from __future__ import annotations

import pytest
from msgspec import json

from delivery.syslog_server import Collector
from faults.site import Site, account, port_of, sign_in, until
from faults.wire import Wire
from free_ports import free_port

pytestmark = pytest.mark.anyio


async def test_FS_29_sign_ins_go_on_without_the_sink_and_no_record_is_lost(site: Site) -> None:
    port, collector = free_port(), Collector()
    sink = {"SEKISHO_AUDIT__SINK": f"syslog+tcp://127.0.0.1:{port}"}
    await site.seed(account(0))

    with site.serving(**sink) as server:
        for _ in range(3):
            await sign_in(Wire(port_of(server)))
        await until(lambda: "audit_shipping_postponed" in server.output(), 30, "the first failed try")
        server.kill()
    with site.serving(**sink) as server:
        for _ in range(3):
            await sign_in(Wire(port_of(server)))
        async with collector.listening(port):
            happened = [seq for (seq,) in site.rows("SELECT seq FROM audit WHERE event = 'login' ORDER BY seq")]
            assert len(happened) == 6

            def arrived() -> list[int]:
                lines = [json.decode(message.partition(" audit - ")[2]) for message in collector.messages]
                return [line["seq"] for line in lines if line["event"] == "login"]

            await until(lambda: len(set(arrived())) == 6, 60, "all records")
            assert sorted(set(arrived())) == happened
