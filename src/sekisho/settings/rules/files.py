"""Files that settings name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sekisho.settings.rules.fault import Fault


def missing_file(path: str, name: str, file: str) -> Iterator[Fault]:
    """The drivers tell a certificate's file that is not there as they tell a server that is not there."""
    if not Path(file).is_file():
        yield Fault(
            path,
            f"names a file that is not there or not readable: {name}={file}.",
            f"指定されたファイルがないか、読めません: {name}={file}。",
        )


def is_readable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.R_OK)
