"""The state of `sekisho dev`: one folder beside the project with the database and a master secret."""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path

from sekisho.settings.mistakes import Mistake
from sekisho.settings.rules.secrets import secret_faults

STATE_FOLDER = ".sekisho"


class StateUnusable(Exception):
    """The folder of dev cannot be used as it is."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.en)
        self.mistake = mistake


def development_secret(folder: Path, database: Path, *, may_create: bool = True) -> str:
    """Return the secret of this folder, made on first use: folder 0700, file 0600.

    The file appears whole under its name or not at all, and a name that exists is never
    replaced: two starts at once end up with the same secret. Beside a database none is made: it would
    not be the one that the database's keys and tokens are sealed under.

    Raises:
        StateUnusable: with what to do.
    """
    path = folder / "secret"
    # Asked first: whoever makes a database has made the secret before.
    has_data = _has_data(database)
    try:
        is_there = path.exists()
        if not is_there and has_data:
            raise StateUnusable(_not_the_secret(path, database, is_there=False))
        if not is_there and not may_create:
            raise StateUnusable(_no_state(folder))
        if not is_there:
            make_folder(folder)
            _make_secret(folder, path)
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else "") or "not UTF-8 text"
        raise StateUnusable(_unusable(folder, reason)) from problem
    if any(secret_faults("secret", secret)):
        raise StateUnusable(_not_the_secret(path, database, is_there=True) if has_data else _worthless(path))
    return secret


def make_folder(folder: Path) -> None:
    """Make the folder, unless it is there.

    Raises:
        StateUnusable: with what to do.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StateUnusable(_unusable(folder, problem.strerror or "unknown reason")) from problem


def _make_secret(folder: Path, path: Path) -> None:
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


def _link_unless_there(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return


def _has_data(database: Path) -> bool:
    try:
        return database.stat().st_size > 0
    except OSError:
        return False


def _short(path: Path) -> str:
    """Return the path as it is written in the folder of dev: that is where the reader is."""
    return f"{STATE_FOLDER}/{path.name}" if path.parent.name == STATE_FOLDER else str(path)


def _not_the_secret(path: Path, database: Path, *, is_there: bool) -> Mistake:
    secret, data = _short(path), _short(database)
    if is_there:
        en = f"`{secret}` is not the secret that `{data}` was made with (or is damaged)."
        ja = f"`{secret}` は `{data}` を作ったときのシークレットではないか、壊れています。"
    else:
        en = f"`{secret}` is missing, the secret that `{data}` was made with."
        ja = f"`{data}` を作ったときのシークレット `{secret}` がありません。"
    in_the_folder = database.parent == path.parent
    return Mistake(
        secret,
        f"{en} Put the original back, or start over and lose the development data:",
        f"{ja}元の値に戻すか、開発用のデータを捨てて最初からやり直してください:",
        f"rm -r {STATE_FOLDER}" if in_the_folder else f"rm -r {STATE_FOLDER} {shlex.quote(str(database))}",
    )


def _worthless(path: Path) -> Mistake:
    return Mistake(
        _short(path),
        f"`{_short(path)}` is damaged, and there is no database yet that needs it. Remove it; a new one will be made:",
        f"`{_short(path)}` が壊れています。これを使うデータベースはまだありません。消すと新しいものが作られます:",
        f"rm {_short(path)}",
    )


def _no_state(folder: Path) -> Mistake:
    return Mistake(
        f"{STATE_FOLDER}/",
        f"No development data here yet ({folder}). Start the development server once:",
        f"開発用のデータはまだありません ({folder})。開発用サーバーを一度起動してください:",
        "sekisho dev",
    )


def _unusable(folder: Path, reason: str) -> Mistake:
    if os.path.lexists(folder) and not folder.is_dir():
        return Mistake(
            f"{STATE_FOLDER}/",
            f"{folder} is in the way: it is no folder, and `sekisho dev` keeps its data in a folder of that name. "
            "Move it elsewhere, or start in another folder.",
            f"{folder} がじゃまをしています。`sekisho dev` はこの名前のフォルダーにデータを置きます。"
            "別の場所に移すか、別のフォルダーで起動してください。",
        )
    return Mistake(
        f"{STATE_FOLDER}/",
        f"`sekisho dev` cannot keep its data in {folder} ({reason}). Start in a folder that you may write to.",
        f"`sekisho dev` のデータを {folder} に置けません ({reason})。書き込めるフォルダーで起動してください。",
    )
