"""What an operator reads when a server cannot be used: from the start and from `doctor`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from free_ports import free_port
from live_server import environment
from storage.fast import template

PASSWORD = "quiet-lantern"
JAPANESE = re.compile("[ぁ-ん]")


def refused(folder: Path, check: str, **given: str) -> tuple[str, str]:
    """Return what `doctor` says of it in English, and the start in Japanese."""
    settings = {
        "SEKISHO_SECRET": "uT4mXw9ZkQ2rB7sVe1LdYc6HnPj3GfAa8KiO5oRqWzE",
        "SEKISHO_PUBLIC_URL": "https://auth.mail.test",
        "SEKISHO_DATABASE_URL": f"sqlite:///{folder / 'here.db'}",
        "SEKISHO_MAIL__HOST": "127.0.0.1",
        "SEKISHO_MAIL__FROM": "no-reply@mail.test",
        "PORT": str(free_port()),
        **given,
    }
    shutil.copy(template(), folder / "here.db")
    with (
        _running(folder, "doctor", "--json", LC_ALL="C.UTF-8", **settings) as doctor,
        _running(folder, "serve", LC_ALL="ja_JP.UTF-8", **settings) as serve,
    ):
        report, start = doctor.communicate(timeout=180), serve.communicate(timeout=180)
    assert (doctor.returncode, serve.returncode) == (1, 1), report + start
    assert PASSWORD not in "".join(report + start)
    problems = [
        each for each in json.loads(report[0])["checks"] if each["state"] == "problem" and each["name"] == check
    ]
    (found,) = problems
    line = next(line for line in start[1].splitlines() if "SEKISHO_" in line or "REDIS" in line)
    assert "Traceback" not in start[1]
    assert JAPANESE.search(line)
    # Mistakes in settings come as a list with a heading, everything else as the one line.
    assert check == "settings" or start[1].splitlines() == [line]
    return f"{found['text']} {found['fix']}".strip(), line


@contextmanager
def _running(folder: Path, *words: str, **given: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "sekisho", *words],
        cwd=folder,
        env=environment(**given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def must_say(said: tuple[str, str], english: str, both: str) -> None:
    assert english in said[0]
    assert both in said[0]
    assert both in said[1]
