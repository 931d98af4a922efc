"""Refresh chains: the script of a user that trades refresh tokens, and never believes an answer without looking.

Which token follows is checked on every answer: same session, same secret, counter one higher. What the server
acknowledged must be in its database afterwards.
"""

from __future__ import annotations

import asyncio
from binascii import a2b_base64
from collections import Counter
from collections.abc import Sequence
from random import Random

import apsw
import asyncpg
from msgspec import DecodeError, Struct, json

from bench.requests import post_head
from bench.site import CLIENT_ID, Site
from sekisho.tokens.refresh_token import RefreshTokens

PATH = "/api/v1/auth/refresh"
TABS = 4
_PAUSE_S = 0.05

# Of the 77 bytes of a token the first 36 and the counter with the byte before it fall on whole groups of base64.
_SAME = slice(0, 52)
_COUNTER = slice(52, 64)


class Pair(Struct):
    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


_decode = json.Decoder(Pair).decode


def counter_of(token: str) -> int:
    """Return the counter of a refresh token."""
    return int.from_bytes(a2b_base64(token[_COUNTER].replace("-", "+").replace("_", "/"))[1:], "big")


class Chains:
    """A user's own sessions, one chain of refresh tokens each; every request continues a random one."""

    def __init__(self, site: Site, own: Sequence[int]) -> None:
        self._site = site
        self._own = own
        self._minter = RefreshTokens(site.master())
        self._random = Random(own[0])  # noqa: S311 - which session is next need not be a secret
        self._current = own[0]
        self.tokens: dict[int, str] = {}
        length = len(site.refresh_token(own[0], self._minter))
        body = json.encode({"refresh_token": "?" * length, "client_id": CLIENT_ID})
        self._before, _, self._after = (post_head(PATH, len(body)) + body).partition(b"?" * length)

    def request(self) -> bytes:
        self._current = self._own[int(self._random.random() * len(self._own))]
        return self._before + self.presented().encode() + self._after

    def judge(self, status: int, body: bytes) -> str:
        if status != 200:
            return f"a good refresh token was answered with {status}"
        return self.accept(body)

    def presented(self) -> str:
        """Return the live token of the current chain."""
        token = self.tokens.get(self._current)
        if token is None:
            token = self.tokens[self._current] = self._site.refresh_token(self._current, self._minter)
        return token

    def accept(self, body: bytes) -> str:
        """Continue the current chain with an answer's token, if it is the one that must follow."""
        presented = self.tokens[self._current]
        try:
            following = _decode(body).refresh_token
            is_next = following[_SAME] == presented[_SAME] and counter_of(following) == counter_of(presented) + 1
        except (DecodeError, ValueError):
            return "a refresh was answered with something else than a pair"
        if not is_next:
            return "a refresh token that does not follow the presented one"
        self.tokens[self._current] = following
        return ""


def chains(site: Site, users: int) -> tuple[list[Chains], Tabs]:
    """Deal all sessions of the body transport out to so many users, and one more share to the tabs."""
    every = site.body_sessions
    shares = [every[number :: users + 1] for number in range(users + 1)]
    return [Chains(site, share) for share in shares[1:]], Tabs(Chains(site, shares[0]))


class Tabs:
    """Several tabs of one browser that refresh the same token at the same time, over and over (invariant I8)."""

    def __init__(self, own: Chains) -> None:
        self.chains = own
        self.is_stopping = False
        self.violations: Counter[str] = Counter()

    async def run(self, ports: Sequence[int]) -> None:
        """Go on until `is_stopping`, at the ports in turn; the last answers have come when this returns."""
        self.is_stopping = False
        lines = [await asyncio.open_connection("127.0.0.1", ports[tab % len(ports)]) for tab in range(TABS)]
        while not self.is_stopping:
            await self._burst(lines)
            await asyncio.sleep(_PAUSE_S)
        for _, writer in lines:
            writer.close()

    async def _burst(self, lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
        request = self.chains.request()
        for _, writer in lines:
            writer.write(request)
        answers = [await read_answer(reader) for reader, _ in lines]
        if any(status != 200 for status, _ in answers):
            violation = "one of several parallel refreshes of one token was refused"
        elif len({_decode(body).refresh_token for _, body in answers}) > 1:
            violation = "parallel refreshes of one token got different successors"
        else:
            violation = self.chains.accept(answers[0][1])
        if violation:
            self.violations[violation] += 1


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return status and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.split(b"content-length: ")[1].split(b"\r\n")[0]
    return int(head[9:12]), await reader.readexactly(int(length))


async def stored_violations(site: Site, every: Sequence[Chains]) -> Counter[str]:
    """Compare what was acknowledged with what the database holds, once nothing is in flight (I1, I3).

    Where Redis decides rotations, the database knows all of them when the server has been stopped.
    """
    expected = {
        str(site.session_id(index)): (counter_of(token), None) for one in every for index, token in one.tokens.items()
    }
    stored = await (_postgres_rows if site.is_postgres else _sqlite_rows)(site, [*expected])
    wrong = sum(stored.get(name) != row for name, row in expected.items())
    return Counter({"the database does not hold what was acknowledged": wrong}) if wrong else Counter()


async def _postgres_rows(site: Site, names: list[str]) -> dict[str, tuple[int, int | None]]:
    connection = await asyncpg.connect(site.url)
    try:
        sql = "SELECT id, counter, ended_at FROM sessions WHERE id = ANY($1)"
        return {row["id"]: (row["counter"], row["ended_at"]) for row in await connection.fetch(sql, names)}
    finally:
        await connection.close()


async def _sqlite_rows(site: Site, names: list[str]) -> dict[str, tuple[int, int | None]]:
    connection = apsw.Connection(str(site.database_path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        sql = "SELECT counter, ended_at FROM sessions WHERE id = ?"
        found = ((name, connection.execute(sql, (name,)).fetchone()) for name in names)
        return {name: (int(row[0]), row[1]) for name, row in found if row is not None}
    finally:
        connection.close()
