"""Clients in a loop: login, refresh, use, logout; each remembers what it was told, so that it can be held to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from faults.site import Pair, opened, refresh, sign_in
from faults.wire import Answer, Cut, Wire

CLIENT = "app:0123456789abcdef0123"
BUSY = (429, 503)


@dataclass
class Told:
    """What one client knows: only what was answered to it.

    pair: the newest it holds; None between logout and login. presented: the token that it sent last, with the successor
        that it was told ("" if the answer never came).
    """

    number: int
    logins: list[str] = field(default_factory=list)
    ended: dict[str, str] = field(default_factory=dict)
    pair: Pair | None = None
    presented: str = ""
    successor: str = ""
    refreshes: int = 0
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"canary-{self.number}@example.com"


class Load:
    """`clients` people at once. Stops by itself when the server is gone, or when `stop` is set."""

    def __init__(self, port: int, clients: int, *, refreshes: int = 3, logs_out: bool = True) -> None:
        self.port = port
        self.refreshes = refreshes
        self.logs_out = logs_out
        self.stop = asyncio.Event()
        self.told = [Told(number) for number in range(clients)]

    async def run(self, rounds: int = 1) -> list[Told]:
        await asyncio.gather(*(self._live(told, rounds) for told in self.told))
        return self.told

    async def _live(self, told: Told, rounds: int) -> None:
        wire = Wire(self.port)
        try:
            for _ in range(rounds):
                if not self.stop.is_set():
                    await self._one_round(wire, told)
        except Cut:
            told.unanswered += 1
        finally:
            await wire.close()

    async def _one_round(self, wire: Wire, told: Told) -> None:
        told.presented = told.successor = ""
        told.pair = await sign_in(wire, told.number, CLIENT)
        told.logins.append(told.pair.sid)
        for _ in range(self.refreshes):
            await refresh_once(wire, told)
            await look(wire, told)
        if self.logs_out and told.number % 2:
            await log_out(wire, told)


async def refresh_once(wire: Wire, told: Told) -> None:
    assert told.pair is not None
    told.presented, told.successor = told.pair.refresh_token, ""
    answer = await refresh(wire, told.presented, CLIENT)
    told.pair = Pair.of(answer)
    told.successor = told.pair.refresh_token
    told.refreshes += 1


async def look(wire: Wire, told: Told) -> Answer:
    """Use the access token; what comes back must be the client's own (I7)."""
    assert told.pair is not None
    answer = await wire.call("GET", "auth/session", token=told.pair.access_token)
    assert answer.status == 200, answer.body
    assert answer.json()["user"]["email"] == told.email
    assert answer.json()["session"]["id"] == told.pair.sid
    assert answer.body.count(b"canary-") == 1
    return answer


async def log_out(wire: Wire, told: Told) -> None:
    """An end counts when it was answered; before that the client cannot know."""
    assert told.pair is not None
    pair, told.pair = told.pair, None
    told.presented = told.successor = ""
    answer = await wire.call("POST", "auth/logout", {"refresh_token": pair.refresh_token, "client_id": CLIENT})
    assert answer.status == 200, answer.body
    told.ended[opened(pair.refresh_token).session_id] = pair.refresh_token
