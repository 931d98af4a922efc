"""The audit trail into a file: one JSON object a line, for an agent of the operator's that ships it on.

The file is opened for each batch, so that it may be rotated at any time by renaming it, and a batch counts as taken
when the disk has it. It is written in a thread of its own: a network disk that hangs holds that one and no other work.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sekisho.ports.audit_sink import ShippedLine, SinkUnavailable


class FileSink:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = _thread()

    async def take(self, lines: Sequence[ShippedLine]) -> None:
        text = b"".join(line.json + b"\n" for line in lines)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._append, text)
        except OSError as error:
            raise SinkUnavailable(f"{self._path}: {error.strerror or error}") from None

    async def close(self) -> None:
        """Wait for no disk any more. What is taken after this goes into another thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._thread = _thread()

    def _append(self, text: bytes) -> None:
        # Only its owner and group read it: it names addresses and devices.
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                text = b"\n" + text  # A line that was cut off (power, full disk) must not swallow the next one.
            while text:
                text = text[os.write(file, text) :]
            os.fsync(file)
        finally:
            os.close(file)


def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, "audit-file")
