"""Start-up: a warm `sekisho dev`, from the start of its process to its first answer, and its memory."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from statistics import median

from bench.processes import free_port, started
from bench.rows import Aim, Row
from bench.setting import READY, Setting

STARTS = 5
SETTLE_S = 0.5


async def run(setting: Setting) -> list[Row]:
    starts, memory = [], []
    with tempfile.TemporaryDirectory(dir=setting.folder) as name:
        folder = Path(name)
        # The first makes the state folder and the database, and leaves compiled modules behind.
        for _ in range(1 + STARTS):
            port = free_port()
            with started(["sekisho", "dev"], port, folder, setting.cores.server, {"PORT": str(port)}, READY) as server:
                starts.append(server.first_answer_s)
                await asyncio.sleep(SETTLE_S)
                memory.append(server.resident_mb())
    return [
        Row(id="start-up, warm", aims=(Aim("start_s", 1.5, median(starts[1:])),)),
        Row(id="memory after start-up", aims=(Aim("resident_mb", 90, median(memory[1:])),)),
        Row(id="memory after the load", aims=(Aim("resident_mb", None, setting.server.resident_mb()),)),
    ]
