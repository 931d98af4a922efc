"""The edge with its background work, and the whole as an ASGI application with a lifespan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
from msgspec import Struct
from prometheus_client import start_http_server

from sekisho.assemble.audit_heads import tell_head
from sekisho.assemble.audit_sink import demanding, make_alerts, make_sink, sink_source
from sekisho.assemble.edges import make_edge
from sekisho.assemble.mail import mailbox_reader, outbox_worker, texts_reader, ways_out
from sekisho.assemble.parts import Parts, parts
from sekisho.assemble.stores import open_store
from sekisho.audit.sealing import Retention, keep_sealed
from sekisho.audit.seals import Seals
from sekisho.audit.shipping import keep_shipping
from sekisho.delivery.worker import OutboxWorker
from sekisho.http.app import Application, Receive, Scope, Send
from sekisho.http.edge import Caught, Edge
from sekisho.http.figure_board import FigureBoard
from sekisho.http.metrics import Metrics
from sekisho.ports.clock import Clock
from sekisho.ports.storage import Committed, Store
from sekisho.revocation_feed import RevocationFeed
from sekisho.revocations import Revocations, follow
from sekisho.settings import Settings
from sekisho.storage.sqlite.connections import Durability
from sekisho.tokens.signing_keys import KeyRing, ensure_keys
from sekisho.upkeep import DAY_MS, UpkeepPlan, keep_up

log = structlog.get_logger("sekisho")

COUNTS_EVERY_S = 15
RESTART_PAUSE_S = 1.0

FIGURES_SHOWN_EVERY_S = 1.0

Background = Callable[[], Coroutine[Any, Any, None]]


class Place(Struct, frozen=True):
    """Which of several workers this process is. The first, number 0, answers on the private port of /metrics."""

    number: int
    board: FigureBoard


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, durability: Durability = "full", place: Place | None = None
) -> AsyncIterator[Edge]:
    """Open everything, keep the background tasks going, and yield the edge; close in reverse order.

    A clock that stands still and `durability` "off" are for tests.

    Args:
        place: among several workers; None for a process alone.
    """
    async with AsyncExitStack() as stack:
        have = parts(settings, clock)
        stack.callback(have.close)
        if have.policy.deviations:
            log.warning("password_profile_departs", profile=have.policy.profile, departs_from=have.policy.deviations)
        store = demanding(await open_store(settings, have.master, durability), have.clock, settings)
        stack.push_async_callback(store.close)

        revocations = Revocations()
        await revocations.load(store)
        feed = RevocationFeed(store)
        await feed.read_on()
        keys = await _key_ring(have, store)
        out = ways_out(settings, have.clock)
        worker = outbox_worker(store, have.outbox.open, out, have.clock)
        keys_changed = asyncio.Event()
        store.subscribe(partial(_on_commit, revocations, feed, worker, keys_changed))

        async def reload_keys() -> None:
            keys.load(await store.list_signing_keys(), have.clock.now())

        async def on_foreign_commit() -> None:
            feed.wake()
            await reload_keys()

        metrics = Metrics() if place is None else Metrics(place.board, place.number)
        caught = Caught(mailbox_reader(out.mailbox, worker), texts_reader(out.texts, worker))
        edge = make_edge(have, store, keys, revocations, metrics, feed, caught)
        plan = _upkeep_plan(settings, have)
        background: list[Background] = [
            worker.run,
            partial(_reload_when_told, keys_changed, reload_keys),
            partial(feed.run, _report_feed),
            partial(follow, store, revocations, on_foreign_commit, report=_report_follow),
            partial(
                keep_sealed,
                store,
                have.clock,
                Seals(have.master),
                _retention(settings),
                partial(tell_head, settings.audit_head_file),
            ),
            partial(keep_up, store, have.clock, have.master, revocations, plan, reload_keys),
        ]
        if (sink := make_sink(settings)) is not None:
            background.append(partial(keep_shipping, store, have.clock, sink, await sink_source(settings, store)))
        if (alerts := make_alerts(settings, have.clock)) is not None:
            source = await sink_source(settings, store)
            background.append(partial(keep_shipping, store, have.clock, alerts[0], source, alerts[1]))
        if place is not None:
            background.append(partial(_show_figures, metrics))
        if settings.metrics_port is not None and (place is None or place.number == 0):
            server, _ = start_http_server(settings.metrics_port, "127.0.0.1", edge.metrics.registry)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            background.append(partial(_refresh_counts, edge))
        tasks = [asyncio.create_task(_kept_running(work)) for work in background]
        stack.push_async_callback(_stop, tasks)
        yield edge


class Served:
    """`running` as an ASGI application: the lifespan opens and closes everything behind it.

    Mounted inside another application, whose server does not run the lifespan of what it mounts, use
    `async with running(settings) as edge` in the outer lifespan and mount `Application(edge)`.
    """

    def __init__(self, settings: Settings, place: Place | None = None) -> None:
        self._settings = settings
        self._place = place
        self._application: Application | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._application is not None:
            await self._application(scope, receive, send)
        else:
            raise RuntimeError("the lifespan has not run: serve with lifespan on, or see sekisho.assemble.Served")

    async def stop_streams(self) -> None:
        """Let open streams end: whoever stops the server waits for what is being answered."""
        if self._application is not None:
            await self._application.stop_streams()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        async with running(self._settings, place=self._place) as edge:
            self._application = Application(edge)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._application = None
        await send({"type": "lifespan.shutdown.complete"})


def application(settings: Settings, place: Place | None = None) -> Served:
    """Return the whole server as one ASGI application with a lifespan; `place` as in `running`."""
    return Served(settings, place)


async def _key_ring(have: Parts, store: Store) -> KeyRing:
    jwt = have.settings.jwt
    if jwt.algorithm == "HS256":
        assert jwt.secret_key is not None, "the settings demand a key for HS256"
        return KeyRing.symmetric(jwt.secret_key.get_secret_value().encode())
    ring, now = KeyRing(have.master), have.clock.now()
    ring.load(await ensure_keys(store, have.master, jwt.algorithm, now), now)
    return ring


def _upkeep_plan(settings: Settings, have: Parts) -> UpkeepPlan:
    rotates = settings.jwt.algorithm != "HS256"
    return UpkeepPlan(
        signing_algorithm=settings.jwt.algorithm,
        forgets_passwords=have.policy.history == 0,
        rotate_after_ms=settings.jwt.rotate_days * DAY_MS if rotates else None,
        verify_for_ms=have.journal_ms,
    )


def _retention(settings: Settings) -> Retention:
    return Retention(
        personal_ms=settings.audit.personal_days * DAY_MS or None, records_ms=settings.audit.keep_days * DAY_MS or None
    )


def _on_commit(
    revocations: Revocations,
    feed: RevocationFeed,
    worker: OutboxWorker,
    keys_changed: asyncio.Event,
    committed: Committed,
) -> None:
    """Take over what this process has just committed, before its caller hears of it."""
    if committed.journal:
        revocations.add(committed.journal)
        feed.wake()
    if committed.mail_queued:
        worker.wake()
    if committed.keys_changed:
        keys_changed.set()


async def _reload_when_told(keys_changed: asyncio.Event, reload_keys: Background) -> None:
    while True:
        await keys_changed.wait()
        keys_changed.clear()
        await reload_keys()


def _report_follow(error: Exception) -> None:
    log.warning("follow_failed", error=str(error))


def _report_feed(error: Exception) -> None:
    log.warning("feed_failed", error=str(error))


async def _refresh_counts(edge: Edge) -> None:
    while True:
        edge.metrics.set_counts(await edge.counts())
        await asyncio.sleep(COUNTS_EVERY_S)


async def _show_figures(metrics: Metrics) -> None:
    while True:
        metrics.show()
        await asyncio.sleep(FIGURES_SHOWN_EVERY_S)


async def _kept_running(work: Background) -> None:
    """Run background work for ever. If it dies of a mistake of ours, it says so and starts again: a server without
    its mail worker or its ear for revocations would look healthy and not be."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("background_work_died")
        await asyncio.sleep(RESTART_PAUSE_S)


async def _stop(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
