"""Clients in a loop: login, refresh, use, logout; each remembers what it was told, so that it can be held to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from faults.site import Pair, opened, refresh, sign_in
from faults.wire import Answer, Busy, Cut, Wire, heard

CLIENT = "app:0123456789abcdef0123"
SIGN_INS_AT_ONCE = 16


@dataclass
class Told:
    """What one client knows: only what was answered to it.

    pair: the newest it holds; None between logout and login. leaving: what it asked to end, without an answer so far.
    presented: the token that it sent last, with the successor that it was told ("" if the answer never came).
    """

    number: int
    logins: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    pair: Pair | None = None
    leaving: Pair | None = None
    presented: str = ""
    successor: str = ""
    refreshes: int = 0
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"canary-{self.number}@example.com"


class Load:
    """`clients` people at once, each of whom goes from node to node. Stops by itself when a server is gone, or when
    `stop` is set."""

    def __init__(self, ports: int | Sequence[int], clients: int, *, refreshes: int = 3, logs_out: bool = True) -> None:
        self.ports = (ports,) if isinstance(ports, int) else tuple(ports)
        self.refreshes = refreshes
        self.logs_out = logs_out
        # So many sign-ins at once that hashing never rests, and so few that none waits for its turn until it gives up.
        self._door = asyncio.Semaphore(SIGN_INS_AT_ONCE)
        self.stop = asyncio.Event()
        self.told = [Told(number) for number in range(clients)]

    async def run(self, rounds: int = 1) -> list[Told]:
        await asyncio.gather(*(self._live(told, rounds) for told in self.told))
        return self.told

    async def _live(self, told: Told, rounds: int) -> None:
        nodes = Nodes(self.ports, told.number)
        try:
            for _ in range(rounds):
                if not self.stop.is_set():
                    await self._one_round(nodes, told)
        except Cut:
            told.unanswered += 1
        finally:
            await nodes.close()

    async def _one_round(self, nodes: Nodes, told: Told) -> None:
        told.presented = told.successor = ""
        async with self._door:
            told.pair = await sign_in(nodes.next(), told.number, CLIENT)
        told.logins.append(told.pair.sid)
        for _ in range(self.refreshes):
            await refresh_once(nodes.next(), told)
            await look(nodes.next(), told)
        if self.logs_out and told.number % 2:
            await log_out(nodes.next(), told)


class Nodes:
    """One client's connections, one to each node, used in turns."""

    def __init__(self, ports: Sequence[int], first: int = 0) -> None:
        self._wires = [Wire(port) for port in ports]
        self._turn = first

    def next(self) -> Wire:
        self._turn += 1
        return self._wires[self._turn % len(self._wires)]

    async def close(self) -> None:
        for wire in self._wires:
            await wire.close()


async def keep_going(
    ports: Sequence[int], told: Told, stop: asyncio.Event, *, logs_out_every: int = 0, looks: bool = True
) -> None:
    """Live as a client should while servers come and go: the same again until there is an answer, and 503 is none.

    logs_out_every: after so many refreshes it logs out and in again; 0 for never. looks: whether it uses each new
        access token.
    """
    nodes = Nodes(ports, told.number)
    while not stop.is_set():
        try:
            if told.leaving is not None:
                await log_out(nodes.next(), told)
            elif told.pair is None:
                await _come_in(nodes.next(), told)
            elif logs_out_every and told.refreshes % logs_out_every == logs_out_every - 1:
                await log_out(nodes.next(), told)
                told.refreshes += 1
            else:
                await refresh_once(nodes.next(), told)
                if looks:
                    await look(nodes.next(), told)
        except Cut:
            told.unanswered += 1
            await asyncio.sleep(0.02)
        except Busy as busy:
            told.refused.append(str(busy))
            await asyncio.sleep(0.05)
    await nodes.close()


async def _come_in(wire: Wire, told: Told) -> None:
    told.presented = told.successor = ""
    told.pair = await sign_in(wire, told.number, CLIENT)
    told.logins.append(told.pair.sid)


async def refresh_once(wire: Wire, told: Told) -> None:
    assert told.pair is not None
    told.presented, told.successor = told.pair.refresh_token, ""
    answer = heard(await refresh(wire, told.presented, CLIENT))
    told.pair = Pair.of(answer)
    told.successor = told.pair.refresh_token
    told.refreshes += 1


async def look(wire: Wire, told: Told) -> Answer:
    """Use the access token; what comes back must be the client's own (I7)."""
    assert told.pair is not None
    answer = heard(await wire.call("GET", "auth/session", token=told.pair.access_token))
    assert answer.status == 200, answer.body
    assert answer.json()["user"]["email"] == told.email
    assert answer.json()["session"]["id"] == told.pair.sid
    assert answer.body.count(b"canary-") == 1
    return answer


async def log_out(wire: Wire, told: Told) -> None:
    """An end counts when it was answered; before that the client cannot know."""
    pair = told.leaving or told.pair
    assert pair is not None
    told.pair, told.leaving = None, pair
    told.presented = told.successor = ""
    answer = heard(await wire.call("POST", "auth/logout", {"refresh_token": pair.refresh_token, "client_id": CLIENT}))
    assert answer.status == 200, answer.body
    told.leaving = None
    told.ended[opened(pair.refresh_token).session_id] = pair.refresh_token
