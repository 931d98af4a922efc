"""What pages load: the stylesheet, the small script, and the account's bundle where it was built.

Each is served under a name that holds its content's hash, so that browsers may keep it for ever.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

from sekisho.errors import NotFound
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.call import Call

FOLDERS = (Path(__file__).with_name("static"), Path(__file__).with_name("assets"))
"""What is written by hand, and what `make ui` builds."""

TYPES = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
FOR_EVER: HeaderList = ((b"cache-control", b"public, max-age=31536000, immutable"),)


class Asset(Struct, frozen=True):
    content: bytes
    content_type: bytes


class Assets:
    """The assets of some folders, read once."""

    def __init__(self, folders: tuple[Path, ...] = FOLDERS) -> None:
        self._by_name: dict[str, Asset] = {}
        self._names: dict[str, str] = {}
        for path in sorted(path for folder in folders for path in folder.glob("*.*") if path.suffix in TYPES):
            content = path.read_bytes()
            name = f"{path.stem}.{sha256(content).hexdigest()[:16]}{path.suffix}"
            self._names[path.name] = name
            self._by_name[name] = Asset(content, TYPES[path.suffix])

    def has(self, name: str) -> bool:
        return name in self._names

    def name_of(self, name: str) -> str:
        """Return the hashed name of `pages.css` and its like. An unknown one is a KeyError: a mistake of ours."""
        return self._names[name]

    async def asset_endpoint(self, call: Call) -> Answer:
        found = self._by_name.get(call.path["name"])
        if found is None:
            raise NotFound(detail="no such asset")
        return Answer(200, found.content, found.content_type, FOR_EVER)


@cache
def shared_assets() -> Assets:
    """Return the assets that this installation brings."""
    return Assets()
