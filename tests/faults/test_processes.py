"""FS-22: processes that die, start again or fork never make the same random value twice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from faults.load import Nodes
from faults.site import Site, account, ports_of, sign_in

pytestmark = pytest.mark.anyio

FORKED = """
import os, sys
from sekisho.assemble import application
from sekisho.ids import new_handle
from sekisho.master_secret import MasterSecret
from sekisho.one_time_codes import OneTimeCodes
from sekisho.tokens.session_values import new_session_id, new_session_secret

master = MasterSecret(b"rJ5mVb0nT7hYq2uKxW9sDf4gLz8cAe1pQ6oIi3vBtEyUkMw")

def values(count):
    for _ in range(count):
        yield new_session_id()
        yield new_session_secret().hex()
        yield new_handle()
        yield master.seal("p", b"x", "c").hex()

list(values(3))  # what a parent has drawn before the fork must not decide what its children draw
children = []
for _ in range(4):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, " ".join(values(50)).encode())
        os._exit(0)
    os.close(writing)
    children.append((child, reading))
found = []
for child, reading in children:
    with os.fdopen(reading) as pipe:
        found += pipe.read().split()
    os.waitpid(child, 0)
found += values(50)
print(len(found), len(set(found)))
"""


def test_FS_22_children_of_one_process_draw_different_values() -> None:
    result = subprocess.run([sys.executable, "-c", FORKED], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1000", "1000"]


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.heavy)], indirect=True)
async def test_FS_22_a_server_that_is_killed_again_and_again_makes_no_value_twice(site: Site) -> None:
    await site.seed(account(0))
    seen: list[str] = []
    for _ in range(3):
        with site.nodes() as servers:
            nodes = Nodes(ports_of(servers))
            pairs = [await sign_in(nodes.next()) for _ in range(5)]
            seen += [pair.sid for pair in pairs]
            seen += [pair.presented.secret.hex() for pair in pairs]
            seen += [pair.claims["jti"] for pair in pairs]
            for server in servers:
                server.kill()
    assert len(set(seen)) == len(seen) == 45
