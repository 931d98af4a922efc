"""People whose life goes on while servers, networks and keys change under them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from faults.load import Told, keep_going
from faults.site import Pair, ports_of, until
from faults.wire import Answer, Wire
from live_server import LiveServer

ANSWERS_PER_S = 200


class Living:
    """Everybody's life goes on while the block runs."""

    def __init__(self, everybody: list[Told]) -> None:
        self.everybody = everybody

    def refreshes(self) -> list[int]:
        return [told.refreshes for told in self.everybody]

    def refusals(self) -> int:
        return sum(len(told.refused) for told in self.everybody)

    async def all_go_on(self, within_s: float, what: str) -> None:
        """Wait until each of them has got a new pair, and one more after that."""
        before = self.refreshes()
        await until(
            lambda: all(now > was + 1 for now, was in zip(self.refreshes(), before, strict=True)), within_s, what
        )


@asynccontextmanager
async def living(servers: list[LiveServer], clients: int, *, looks: bool = True) -> AsyncIterator[Living]:
    """looks: whether each new access token is used at once, on the next node."""
    stop, everybody = asyncio.Event(), [Told(number) for number in range(clients)]
    # Every third logs out and in again now and then.
    lives = asyncio.gather(
        *(
            keep_going(ports_of(servers), told, stop, logs_out_every=0 if told.number % 3 else 9, looks=looks)
            for told in everybody
        )
    )
    block = Living(everybody)
    try:
        await block.all_go_on(60, "the first refreshes")
        yield block
    finally:
        stop.set()
        await lives


async def used(wire: Wire, pair: Pair) -> Answer:
    """Use an access token where the node's own memory alone decides about its session."""
    return await wire.call("GET", "user/profile", token=pair.access_token)


async def is_refused(wire: Wire, pair: Pair, *, within_s: float) -> None:
    """Use the access token until it is refused.

    A machine on which everything takes longer gets the time of as many answers as there are in `within_s` at least.
    """
    now = asyncio.get_running_loop().time
    until, asked = now() + within_s, 0
    while (answer := await used(wire, pair)).status == 200:
        asked += 1
        assert now() < until or asked < within_s * ANSWERS_PER_S, f"not within {within_s} s and {asked} answers"
    assert answer.error == "session_revoked"
