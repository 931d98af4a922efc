"""The rules about unusual sign-ins, as one login pays for them: processor time, and what they read.

Found on a small site of this scenario's own in this process, with accounts whose past is as long as the rules look at.
The same login runs with the rules and without, its statements counted by SQLite itself; the time is that of the rules
with their read.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from msgspec import json

from bench.in_process import call, counting_statements, of_requests
from bench.rows import Aim, Row
from bench.scenarios.login import PATH
from bench.seeding import seed
from bench.setting import Setting
from bench.site import CLIENT_ID, PASSWORD, Site, email_of, now_ms
from sekisho.anomalies import Anomalies
from sekisho.anomalies.watch import LOOKED_AT
from sekisho.assemble import running
from sekisho.audit import SUCCESS, Event, record
from sekisho.http.app import Application
from sekisho.model import AccountId, Origin
from sekisho.ports.changes import AppendAudit
from sekisho.ports.storage import Store
from sekisho.settings import load
from sekisho.storage.sqlite import SqliteStore

ACCOUNTS = 60
ROUNDS = 7
LOGINS = 5
AIM_US, AIM_READS = 200, 1
OFF = {f"SEKISHO_ANOMALIES__{name}_FROM": "0" for name in ("NOTE", "MAIL", "ASK", "REFUSE")}
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"


async def run(setting: Setting) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        site = await seed(Path(name), ACCOUNTS)
        accounts = [AccountId(each) for each in site.accounts[: ACCOUNTS // 2]]
        await _give_a_past(site, accounts)
        with_rules, us = await _asked(site, {}, ACCOUNTS - 1, accounts)
        without, _ = await _asked(site, OFF, ACCOUNTS - 2, [])
    assert without > 0, "the counter of statements does not see a login"
    extra = float(with_rules - without)
    return [
        Row(
            id="anomaly rules of a login",
            cpu_us=us,
            aims=(Aim("rules_us", AIM_US, us), Aim("extra_reads", AIM_READS, extra)),
        )
    ]


async def _asked(site: Site, given: dict[str, str], who: int, accounts: list[AccountId]) -> tuple[int, float]:
    """Return how many statements a login of `who` runs, and the processor time of the rules for one of `accounts`."""
    environment = {**site.environment(8080, 25), **given}
    with counting_statements() as statements:
        async with running(load("serve", environment, site.folder)) as edge:
            application, us = Application(edge), 0.0
            if accounts:
                us = min([await _judged_us(edge.login.anomalies, edge.login.store, accounts) for _ in range(ROUNDS)])
            counted = []
            for _ in range(LOGINS):
                statements.clear()
                body = {"email": email_of(who), "password": PASSWORD, "client_id": CLIENT_ID}
                assert await call(application, PATH, json.encode(body)) == 200
                counted.append(of_requests(statements))
            # The least: what the server does beside it, now and then, is none of the login's.
            return min(counted), us


async def _judged_us(anomalies: Anomalies, store: Store, accounts: list[AccountId]) -> float:
    origin, begun = _origin(LOOKED_AT), time.process_time()
    for account in accounts:
        judged = await anomalies.judge(account, origin, now_ms(), store)
        assert judged.reasons, "a network and a browser that nobody had before, and the rules see nothing"
    return (time.process_time() - begun) * 1e6 / len(accounts)


async def _give_a_past(site: Site, accounts: list[AccountId]) -> None:
    store = await SqliteStore.open(site.database_path, durability="off")
    now = now_ms()
    try:
        for account in accounts:
            past = (
                record(Event.LOGIN, SUCCESS, at=now - 60_000 * back, origin=_origin(back % 5), account_id=account)
                for back in range(LOOKED_AT, 0, -1)
            )
            await store.apply(*(AppendAudit(record=one) for one in past))
    finally:
        await store.close()


def _origin(number: int) -> Origin:
    return Origin(ip=f"198.51.{number}.7", user_agent=_AGENT.format(100 + number))
