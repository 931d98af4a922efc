"""The client's address behind proxies: believed only as far as each sender is trusted."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest

from sekisho.http.client_address import client_address

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "found"),
    [
        ("203.0.113.7", None, TRUSTED, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.1", TRUSTED, "203.0.113.7"),
        ("10.0.0.1", "198.51.100.1", (), "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", TRUSTED, "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", TRUSTED, "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", TRUSTED, "198.51.100.1"),
        ("10.0.0.1", "nonsense", TRUSTED, "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:4711", TRUSTED, "198.51.100.1"),
        ("fd00::1", "[2001:db8::1]:4711", TRUSTED, "2001:db8::1"),
        ("::ffff:203.0.113.7", None, TRUSTED, "203.0.113.7"),
        ("", None, TRUSTED, ""),
    ],
)
def test_KA_110_the_first_sender_that_is_not_trusted_is_the_client(
    peer: str, forwarded: str | None, trusted: tuple[IPv4Network | IPv6Network, ...], found: str
) -> None:
    assert client_address(peer, forwarded, trusted) == found


def test_KA_110_a_long_header_cannot_push_the_proxys_own_entry_out() -> None:
    header = "x" * 1016 + ",6.6.6.6" + ", 203.0.113.7"

    assert client_address("10.0.0.1", header, TRUSTED) == "203.0.113.7"
