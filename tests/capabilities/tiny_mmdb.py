"""A MaxMind database of a few IPv4 networks, written by hand.

Spec: MaxMind DB file format 2.0.
"""

from __future__ import annotations

import ipaddress
import struct

_RECORD_BITS = 24
_SEPARATOR = b"\0" * 16
_MARKER = b"\xab\xcd\xefMaxMind.com"
_UTF8, _DOUBLE, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 3, 5, 6, 7, 9, 11

Node = list["Node | bytes | None"]


def build(places: dict[str, object]) -> bytes:
    """Return the file that maps each network (`198.51.100.0/24`) to its record."""
    root: Node = [None, None]
    for network, found in places.items():
        _insert(root, ipaddress.IPv4Network(network), _encode(found))
    nodes = _in_order(root)
    tree, data = b"", b""
    for node in nodes:
        for side in node:
            if isinstance(side, list):
                value = next(number for number, other in enumerate(nodes) if other is side)
            elif side is None:
                value = len(nodes)
            else:
                value = len(nodes) + len(_SEPARATOR) + len(data)
                data += side
            tree += value.to_bytes(3, "big")
    return tree + _SEPARATOR + data + _MARKER + _encode(_metadata(len(nodes)))


def _metadata(node_count: int) -> dict[str, object]:
    return {
        "binary_format_major_version": (2, _UINT16),
        "binary_format_minor_version": (0, _UINT16),
        "build_epoch": (1_700_000_000, _UINT64),
        "database_type": "Tiny-City",
        "description": {"en": "a few networks"},
        "ip_version": (4, _UINT16),
        "languages": ["en", "ja"],
        "node_count": (node_count, _UINT32),
        "record_size": (_RECORD_BITS, _UINT16),
    }


def _insert(root: Node, network: ipaddress.IPv4Network, data: bytes) -> None:
    bits = f"{int(network.network_address):032b}"[: network.prefixlen]
    node = root
    for bit in bits[:-1]:
        following = node[int(bit)]
        if not isinstance(following, list):
            following = node[int(bit)] = [None, None]
        node = following
    node[int(bits[-1])] = data


def _in_order(node: Node) -> list[Node]:
    return [node, *(each for side in node if isinstance(side, list) for each in _in_order(side))]


def _encode(value: object) -> bytes:
    match value:
        case str():
            raw = value.encode()
            return _head(_UTF8, len(raw)) + raw
        case int(number), int(kind):
            raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
            return _head(kind, len(raw)) + raw
        case float():
            return _head(_DOUBLE, 8) + struct.pack(">d", value)
        case list():
            return _head(_ARRAY, len(value)) + b"".join(map(_encode, value))
        case dict():
            return _head(_MAP, len(value)) + b"".join(_encode(key) + _encode(each) for key, each in value.items())
        case _:
            raise TypeError(f"no encoding for {value!r}")


def _head(kind: int, size: int) -> bytes:
    if size >= 29 + 256:
        raise ValueError("longer than this writer needs")
    short, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return (bytes([kind << 5 | short]) if kind < 8 else bytes([short, kind - 7])) + more
