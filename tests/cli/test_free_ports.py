"""The ports that tests start their servers on."""

from __future__ import annotations

import socket
from contextlib import suppress

from free_ports import STRETCHES, free_port, stretch_of


def test_a_port_is_free_and_not_given_again_soon() -> None:
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100
    for port in given:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))
            server.listen()


def test_a_port_that_somebody_listens_on_is_passed_over() -> None:
    with socket.socket() as server:
        following = free_port() + 1
        with suppress(OSError):  # somebody else does already
            server.bind(("127.0.0.1", following))
            server.listen()
        assert free_port() != following


def test_workers_share_no_port_and_none_is_among_those_that_clients_get() -> None:
    stretches = [stretch_of("a run", f"gw{number}") for number in range(STRETCHES)]
    ports = [port for stretch in stretches for port in stretch]
    assert len(set(ports)) == len(ports)
    assert 1024 < min(ports) < max(ports) < 20_000
