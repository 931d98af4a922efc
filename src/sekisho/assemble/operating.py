"""What the operator's commands stand on: parts and an open store, no server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sekisho.admin.world import OperatorWorld
from sekisho.assemble.audit_sink import demanding
from sekisho.assemble.parts import parts
from sekisho.assemble.stores import open_store
from sekisho.not_me_codes import NotMeCodes
from sekisho.one_time_codes import OneTimeCodes
from sekisho.settings import Settings


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[OperatorWorld]:
    """Give the operator's commands what they need, for as long as the block runs."""
    have = parts(settings)
    try:
        # A server may have the file open: its log beside the file is no sign of a crash.
        opened = await open_store(settings, have.master, quick_check=False, needs_redis=False)
        store = demanding(opened, have.clock, settings)
        try:
            yield OperatorWorld(
                store=store,
                clock=have.clock,
                master=have.master,
                passwords=have.passwords,
                policy=have.policy,
                screening=have.screening,
                throttle=have.throttle,
                outbox=have.outbox,
                not_me=NotMeCodes(OneTimeCodes(have.master), have.throttle, have.master),
                journal_ms=have.journal_ms,
                signing_algorithm=settings.jwt.algorithm,
                verify_for_ms=have.journal_ms,
            )
        finally:
            await store.close()
    finally:
        have.close()
