"""docs/explanation/connections.md, held to its word: the users with few rights, the pools, the time limits."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from cli.refusals import must_say, refused
from faults.engines import Postgres
from faults.load import CLIENT
from faults.site import PASSWORD, Pair, Site, account, port_of, refresh, sign_in
from faults.wire import Wire, close_all, once
from postgres_server import PostgresServer
from sekisho.audit import shipping
from sekisho.delivery import audit_syslog, worker
from sekisho.delivery.smtp import SmtpSettings
from sekisho.storage.postgres import connections, listening, store
from sekisho.storage.redis import line, servers
from storage.redis_server import RedisServer

pytestmark = pytest.mark.anyio

PAGES = [Path(__file__).parents[2] / "docs" / folder / "explanation" / "connections.md" for folder in ("", "ja")]
SERVE_PASSWORD = "a-password-of-the-nodes"


def _block(begins: str, page: Path = PAGES[0]) -> str:
    """Return the block of the page whose text begins so."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(begins)]
    return str(found)


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server with our tables, and the user of the page, who needs a password."""
    started = PostgresServer()
    access = Path(started.data) / "pg_hba.conf"
    access.write_text("host all sekisho_serve 127.0.0.1/32 scram-sha-256\n" + access.read_text())
    try:
        started.start()
        Postgres(started)
        started.sql("ALTER DATABASE postgres RENAME TO sekisho", "template1")
        started.sql(f"CREATE ROLE sekisho_serve LOGIN PASSWORD '{SERVE_PASSWORD}'", "sekisho")
        started.sql(_block("GRANT"), "sekisho")
        yield started
    finally:
        started.remove()


@pytest.fixture
async def site(server: PostgresServer, tmp_path: Path) -> Site:
    """A site whose nodes are the user of the page; what it seeds and looks at is done by the owner."""
    engine = Postgres.__new__(Postgres)
    engine.server, engine._own = server, None
    engine.target = connections.Target(url=server.url("sekisho"))
    engine.environ = {"SEKISHO_DATABASE_URL": _url(server)}
    return Site(tmp_path, engine)


def _url(server: PostgresServer, password: str = SERVE_PASSWORD) -> str:
    return f"postgresql://sekisho_serve:{password}@127.0.0.1:{server.port}/sekisho"


async def test_V13_2_2_a_postgresql_user_with_the_rights_of_the_page_serves_and_can_do_no_more(
    site: Site, server: PostgresServer
) -> None:
    await site.seed(account(0))
    with site.serving() as serving:
        wire = Wire(port_of(serving))
        pair = Pair.of(await refresh(wire, (await sign_in(wire)).refresh_token))
        sent = {"email": "new@example.com", "password": PASSWORD, "client_id": "web"}
        assert (await wire.call("POST", "auth/signup/send-code", sent)).status == 200
        assert site.command("key", "rotate", "--json").returncode == 0
        assert site.command("user", "disable", "canary-0@example.com", "--json").returncode == 0
        assert (await refresh(wire, pair.refresh_token)).error == "refresh_token_invalid"
        assert site.command("audit", "verify").returncode == 0
        assert site.command("doctor", "--json").returncode in (0, 1)
        await close_all()
    assert "permission denied" not in server.log()

    rights = server.sql(
        "SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, has_schema_privilege(oid, 'public', 'CREATE') "
        "FROM pg_roles WHERE rolname = 'sekisho_serve'",
        "sekisho",
    )
    assert rights.strip() == "f|f|f|f|f"
    connection = await asyncpg.connect(_url(server))
    for forbidden in ("CREATE TABLE another ()", "DROP TABLE audit", "TRUNCATE audit", "DELETE FROM alembic_version"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(forbidden)
    await connection.close()


def test_V13_2_1_a_node_that_cannot_prove_who_it_is_does_not_serve(server: PostgresServer, tmp_path: Path) -> None:
    said = refused(tmp_path, "database", SEKISHO_DATABASE_URL=_url(server, "not-the-password"))
    must_say(said, "Check user and password", "SEKISHO_DATABASE_PASSWORD")


async def test_V13_2_6_no_more_connections_than_set_and_who_gets_none_is_told_in_time(
    site: Site, server: PostgresServer
) -> None:
    """Twelve people behind a table that nobody can read: two connections wait for the lock, the others for those."""
    await site.seed(account(1))
    settings = {"SEKISHO_DATABASE_POOL_SIZE": "2", "SEKISHO_DATABASE_TIMEOUT_MS": "3000"}
    with site.serving(**settings) as serving:
        port = port_of(serving)
        pairs = [await sign_in(Wire(port), 1, CLIENT) for _ in range(12)]
        holder = await asyncpg.connect(server.url("sekisho"))
        await holder.execute("BEGIN; LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE")
        answering = asyncio.gather(*(refresh(Wire(port), pair.refresh_token, CLIENT) for pair in pairs))
        most = 0
        while not answering.done():
            most = max(
                most, await holder.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = 'sekisho_serve'")
            )
            await asyncio.sleep(0.02)
        answers = await answering
        await holder.execute("ROLLBACK")
        await holder.close()
        assert {answer.status for answer in answers} == {503}
        assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)
        # One after another they would wait for six times three seconds.
        assert max(answer.took_s for answer in answers) < 3 + connections.CLIENT_MARGIN_S + 6
        assert most == 3, "two of the pool, and the one that listens"
        assert [(await refresh(Wire(port), pair.refresh_token, CLIENT)).status for pair in pairs] == [200] * 12
        await close_all()


async def test_KA_115_a_redis_user_with_the_rights_of_the_page_serves_and_can_do_no_more(tmp_path: Path) -> None:
    redis = RedisServer(tmp_path / "redis").start()
    try:
        words = shlex.split(_block("ACL"))
        assert redis.say(*words) == b"+OK\r\n"
        site = Site(
            tmp_path,
            SEKISHO_REDIS_URL=f"redis://sekisho:the-password@127.0.0.1:{redis.port}",
            SEKISHO_REDIS__SESSIONS="true",
        )
        await site.seed(account(0))
        redis.say("ACL", "LOG", "RESET")
        with site.serving() as serving:
            port = port_of(serving)
            wire = Wire(port)
            pair = Pair.of(await refresh(wire, (await sign_in(wire)).refresh_token))
            wrong = {"email": "canary-0@example.com", "password": "wrong" * 3, "client_id": CLIENT}
            assert (await once(port, "POST", "auth/login", wrong)).status == 401
            out = {"refresh_token": pair.refresh_token, "client_id": "app:0123456789abcdef0123"}
            assert (await wire.call("POST", "auth/logout", out)).status == 200
            assert (await refresh(wire, pair.refresh_token)).error == "refresh_token_invalid"
            await close_all()
        assert b"cmdstat_evalsha" in redis.say("INFO", "commandstats")
        # Nothing was refused but what the library tells of itself when it connects.
        refused_to_us = re.findall(rb"object\r\n\$\d+\r\n([^\r]+)", redis.say("ACL", "LOG"))
        assert set(refused_to_us) <= {b"client|setinfo"}
        for forbidden in (("FLUSHALL",), ("CONFIG", "GET", "*"), ("KEYS", "*"), ("GET", "of-another"), ("ACL", "LIST")):
            assert b"has no permissions" in redis.say("ACL", "DRYRUN", "sekisho", *forbidden), forbidden
    finally:
        redis.stop()


def test_V13_1_1_V13_1_2_V13_1_3_the_page_says_what_the_code_does() -> None:
    """Both languages write the same numbers, in the same order of rows."""
    limits = SmtpSettings(host="h", port=1, from_address="a@example.com").timeout_s
    letters = worker.WorkerLimits()
    said = {
        "PostgreSQL": [
            connections.CONNECT_TIMEOUT_S,
            connections.CLIENT_MARGIN_S,
            store.POLL_S,
            *listening.RECONNECT_S,
        ],
        "Redis": [servers.CONNECT_WITHIN_S, line.ANSWER_WITHIN_S, line.FIRST_PAUSE_S, line.LONGEST_PAUSE_S],
        "mail": [limits, worker._FIRST_RETRY_MS / 1000],
        "syslog": [audit_syslog.CONNECT_S, shipping.HAND_OVER_S, shipping.FIRST_PAUSE_S, shipping.LONGEST_PAUSE_S],
    }
    names = {"mail": ("mail server", "メールサーバー"), "syslog": ("syslog server", "syslog サーバー")}
    for language, page in enumerate(PAGES):
        rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
        for who, seconds in said.items():
            name = names.get(who, (who, who))[language]
            # The first table says whom, the second one how.
            row = [row for row in rows if row.startswith(f"| {name} |")][-1]
            assert [each for each in seconds if f"{each:g} s" not in row] == [], row
            if who == "mail":
                assert f"{worker._LONGEST_RETRY_MS // 60_000} min" in row
                assert f"{letters.give_up_after_ms // 3_600_000} h" in row
                assert f" {letters.parallel} " in row
    named = {"smtp": "MAIL__HOST", "audit_syslog": "AUDIT__SINK", "https_post": "SMS__URL"}
    named |= {"alerts": "ALERTS__URL", "breached_ranges": "PASSWORD__BREACHED_URL"}
    for page in PAGES:
        said_to = page.read_text(encoding="utf-8").split("\n## ")[0]
        assert [name for name in named.values() if f"`SEKISHO_{name}`" not in said_to] == []
    reaching = re.compile(
        r"^(?:import|from) (?:aiosmtplib|h11|http\b|socket)|open_connection|HttpsPost\(", re.MULTILINE
    )
    ours = Path(audit_syslog.__file__).parent.rglob("*.py")
    assert {path.stem for path in ours if reaching.search(path.read_text(encoding="utf-8"))} <= set(named)
    assert _block("GRANT", PAGES[0]) == _block("GRANT", PAGES[1])
    assert _block("ACL", PAGES[0]) == _block("ACL", PAGES[1])
