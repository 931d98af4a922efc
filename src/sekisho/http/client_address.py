"""Whose address a request comes from. No forwarding header is believed unless its sender is trusted.

Spec: RFC 7239 section 8.1; OWASP ASVS 5.0 row 15.3.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

MAX_HOPS = 20


def client_address(peer: str, forwarded_for: str | None, trusted: Networks) -> str:
    """Return the client's address in its shortest form; "" when there is none (a unix socket).

    From the connected peer backwards through `X-Forwarded-For`, as long as each sender is trusted: the
    first that is not is the client. An entry that is no address ends the walk. Of a long header only the end
    counts: that is where proxies append, and its beginning is the client's own.
    """
    if forwarded_for is None or not trusted:
        return _shortest(peer)
    address = parse_address(peer)
    if address is None:
        return ""
    for hop in reversed(forwarded_for[-1024:].split(",")[-MAX_HOPS:]):
        if not any(address in network for network in trusted if network.version == address.version):
            break
        before = parse_address(hop.strip())
        if before is None:
            break
        address = before
    return str(address)


@lru_cache(maxsize=4096)
def _shortest(text: str) -> str:
    """A clear text for `parse_address`: writing an address costs more than finding it here."""
    return str(parse_address(text) or "")


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """Return the address without port, zone or brackets; IPv4-mapped IPv6 as IPv4. None if it is none."""
    text = text[:64].strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
