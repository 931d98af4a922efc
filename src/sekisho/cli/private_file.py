"""Files that hold a master secret: read and written as the settings read them."""

from __future__ import annotations

import os
from pathlib import Path

from sekisho.settings.sources import MAX_FILE_BYTES


class NotOneLine(ValueError):
    """The file is too large, or has spaces or lines around its text: not every reader would take the same from it."""


def write_new(path: Path, text: str) -> None:
    """Write a file that nobody else reads (mode 0600). When this returns it outlasts a power cut, name and all.

    Raises:
        FileExistsError: the name is taken.
        OSError: it cannot be written.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_line(path: Path) -> str:
    """Return a file's text without its line end.

    Raises:
        OSError, UnicodeDecodeError: it cannot be read.
        NotOneLine: see there.
    """
    with path.open("rb") as file:
        raw = file.read(MAX_FILE_BYTES + 1)
    text = raw.decode().removesuffix("\n").removesuffix("\r")
    if len(raw) > MAX_FILE_BYTES or text != text.strip() or len(text.splitlines()) > 1:
        raise NotOneLine
    return text
