"""Floods: attacks that no single account sees. Counted in the memory of this process, for ten minutes.

    spraying   one network, few passwords, many accounts: a network whose refused tries name many addresses
    stuffing   many networks, a list of stolen pairs: refused tries from everywhere, for many addresses

Bounded: at most `MOST_NETWORKS` networks with `MOST_TAGS` addresses each; the oldest network makes room. Several nodes
count each for itself, so behind a balancer a flood must be so many times larger to be seen.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from sekisho.anomalies.sightings import network_of
from sekisho.model import Millis, Unusual

WINDOW_MS = 10 * 60_000
MOST_NETWORKS = 4096
MOST_TAGS = 64

SPRAYED_ADDRESSES = 10
STUFFED_NETWORKS = 30
STUFFED_ADDRESSES = 50


class _Network(Struct):
    """told_at: when its spraying was last told of."""

    tags: dict[str, Millis]
    told_at: Millis = 0


class Floods:
    def __init__(self) -> None:
        self._networks: OrderedDict[str, _Network] = OrderedDict()
        self._looked_at = 0
        self._is_stuffed = False
        self._stuffing_told_at = 0

    def failed(self, ip: str, identifier_tag: str, now: Millis) -> tuple[Unusual, ...]:
        """Note one refused sign-in. `identifier_tag` is a keyed hash: no address is kept.

        Return what has begun with it: each once in ten minutes, spraying for each network.
        """
        network = network_of(ip)
        if not network:
            return ()
        found = self._networks.setdefault(network, _Network({}))
        self._networks.move_to_end(network)
        if identifier_tag in found.tags or len(found.tags) < MOST_TAGS:
            found.tags[identifier_tag] = now
        if len(self._networks) > MOST_NETWORKS:
            self._networks.popitem(last=False)
        begun: list[Unusual] = []
        if len(found.tags) >= SPRAYED_ADDRESSES and _is_over(found.told_at, now) and self.is_spraying(ip, now):
            found.told_at = now
            begun.append(Unusual.SPRAYING)
        if _is_over(self._stuffing_told_at, now) and self.is_stuffing(now):
            self._stuffing_told_at = now
            begun.append(Unusual.STUFFING)
        return tuple(begun)

    def is_spraying(self, ip: str, now: Millis) -> bool:
        """Whether this address's network has tried many accounts in the last ten minutes."""
        found = self._networks.get(network_of(ip))
        if found is None:
            return False
        _forget(found, now)
        return len(found.tags) >= SPRAYED_ADDRESSES

    def is_stuffing(self, now: Millis) -> bool:
        """Whether many networks have tried many accounts in the last ten minutes. Looked at once a second."""
        if now - self._looked_at >= 1000 or now < self._looked_at:
            self._looked_at = now
            self._is_stuffed = self._count(now)
        return self._is_stuffed

    def _count(self, now: Millis) -> bool:
        tags: set[str] = set()
        for network in list(self._networks):
            found = self._networks[network]
            _forget(found, now)
            if found.tags:
                tags.update(found.tags)
            else:
                del self._networks[network]
        return len(self._networks) >= STUFFED_NETWORKS and len(tags) >= STUFFED_ADDRESSES


def _is_over(told_at: Millis, now: Millis) -> bool:
    return not now - WINDOW_MS < told_at <= now


def _forget(network: _Network, now: Millis) -> None:
    # What lies ahead was noted by a clock that has been put back.
    for tag in [tag for tag, at in network.tags.items() if not now - WINDOW_MS < at <= now]:
        del network.tags[tag]
