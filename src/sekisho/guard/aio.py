"""Waiting in an event loop for what a thread does. Loaded when first needed: asyncio takes long to import."""

from __future__ import annotations

import asyncio

from sekisho.guard.flight import Flight


async def wait(flight: Flight) -> None:
    """As `Flight.wait`, without holding up the loop or taking a thread of its pool."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def wake() -> None:
        # The loop may be gone when the thread is done: then nobody waits either.
        if not loop.is_closed():
            loop.call_soon_threadsafe(done.set)

    flight.when_done(wake)
    try:
        await asyncio.wait_for(done.wait(), flight.longest_s)
    except TimeoutError:
        return
