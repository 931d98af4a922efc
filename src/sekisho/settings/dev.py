"""The state of `sekisho dev`: one folder beside the project with the database and a master secret."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

STATE_FOLDER = ".sekisho"


def development_secret(folder: Path) -> str:
    """Return the secret of this folder, made on first use: folder 0700, file 0600.

    The file appears whole under its name or not at all, and a name that exists is never
    replaced: two starts at once end up with the same secret.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "secret"
    if not path.exists():
        draft = folder / f"secret.{secrets.token_hex(8)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _link_unless_there(draft, path)
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return
