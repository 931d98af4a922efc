"""What must hold after any fault (DESIGN section 3), looked at from outside and in the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from faults.load import CLIENT, Nodes, Told, look
from faults.site import Pair, Site, opened, refresh
from faults.wire import Answer

BACK_WITHIN_S = 30


async def everybody_goes_on(ports: int | Sequence[int], everybody: Sequence[Told]) -> None:
    """I1, I3, I7, I8: who repeats the token that it sent last gets one and the same successor, which is the one that
    it was told before, if it was told one; who was told that its session ended stays out."""
    nodes = Nodes((ports,) if isinstance(ports, int) else ports)
    try:
        for told in everybody:
            if told.pair is not None:
                await _goes_on(nodes, told)
            for token in told.ended.values():
                refused = await _decided(nodes, token)
                assert (refused.status, refused.error) == (401, "refresh_token_invalid")
    finally:
        await nodes.close()


async def _goes_on(nodes: Nodes, told: Told) -> None:
    assert told.pair is not None
    token = told.presented or told.pair.refresh_token
    successors = {Pair.of(await _decided(nodes, token)).refresh_token for _ in range(2)}
    assert len(successors) == 1, "two successors of one token"
    assert told.successor in ("", *successors), "another successor than the one that was told"
    newest = successors.pop()
    told.presented, told.pair = newest, Pair.of(await _decided(nodes, newest))
    told.successor = told.pair.refresh_token
    await look(nodes.next(), told)


async def _decided(nodes: Nodes, token: str) -> Answer:
    """Refresh at the next node. One that has not found its way back yet says so, and is asked again for a while: that
    everybody went on may have been the other node's doing."""
    node, deadline = nodes.next(), time.monotonic() + BACK_WITHIN_S
    while (answer := await refresh(node, token, CLIENT)).status == 503:
        assert time.monotonic() < deadline, f"a node decides nothing for {BACK_WITHIN_S} s"
        await asyncio.sleep(0.05)
    return answer


def the_database_agrees(site: Site, everybody: Sequence[Told]) -> None:
    """I1, I2, I3, I5, I6 in the database; a file is whole."""
    if site.engine.name == "sqlite":
        assert site.value("PRAGMA quick_check") == "ok"
    live = {row[0]: row[1:] for row in site.rows("SELECT id, counter, account_id FROM sessions WHERE ended_at IS NULL")}
    for told in everybody:
        assert live.keys().isdisjoint(told.ended), "an acknowledged end was undone"
        if told.pair is not None and told.pair.sid in live:
            assert live[told.pair.sid][0] >= opened(told.pair.refresh_token).counter, "a rotation was undone"
    _one_record_each(site, everybody)
    living_dead = site.value(
        "SELECT count(*) FROM sessions JOIN accounts ON accounts.id = account_id"
        " WHERE ended_at IS NULL AND status <> 'active'"
    )
    assert living_dead == 0, "a session outlived its account"


def _one_record_each(site: Site, everybody: Sequence[Told]) -> None:
    """I6: one record of each sign-in; one record and one journal entry of each end."""
    wrong_starts = site.rows(
        "SELECT id FROM sessions WHERE 1 <> (SELECT count(*) FROM audit WHERE session_id = sessions.id"
        " AND event IN ('login', 'sign_up') AND outcome = 'success')"
    )
    wrong_ends = site.rows(
        "SELECT id FROM sessions WHERE CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END <> (SELECT count(*) FROM audit"
        " WHERE session_id = sessions.id AND event = 'session_ended')"
    )
    unannounced = site.rows(
        "SELECT id FROM sessions WHERE ended_at IS NOT NULL AND 1 <> (SELECT count(*) FROM journal"
        " WHERE kind = 'sid' AND value = sessions.id)"
    )
    assert (wrong_starts, wrong_ends, unannounced) == ([], [], [])
    known = {row[0] for row in site.rows("SELECT id FROM sessions")}
    assert {sid for told in everybody for sid in told.logins} <= known, "an acknowledged login is gone"
