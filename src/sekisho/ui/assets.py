"""What pages load: the stylesheet, the small script, and the account's bundle where it was built.

Each is served under a name that holds its content's hash, so that browsers may keep it for ever.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from sekisho.errors import NotFound
from sekisho.http.answer import Answer, HeaderList
from sekisho.http.call import Call

WRITTEN = Path(__file__).with_name("static")
BUILT = Path(__file__).with_name("assets")
MANIFEST = "manifest.json"
"""What `make ui` built, by the names that pages use: `{"account.js": "account.3f2a….js"}`."""

TYPES = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
FOR_EVER: HeaderList = ((b"cache-control", b"public, max-age=31536000, immutable"),)


class Asset(Struct, frozen=True):
    content: bytes
    content_type: bytes


class Assets:
    """The assets of two folders, read once: what is written by hand, and what was built if it was."""

    def __init__(self, written: Path = WRITTEN, built: Path = BUILT) -> None:
        self._by_name: dict[str, Asset] = {}
        self._names: dict[str, str] = {}
        for path in sorted(path for path in written.glob("*.*") if path.suffix in TYPES):
            content = path.read_bytes()
            self._add(path.name, f"{path.stem}.{sha256(content).hexdigest()[:16]}{path.suffix}", content)
        for name, path in _built(built).items():
            self._add(name, path.name, path.read_bytes())

    def _add(self, name: str, hashed: str, content: bytes) -> None:
        self._names[name] = hashed
        self._by_name[hashed] = Asset(content, TYPES[Path(name).suffix])

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


def _built(folder: Path) -> dict[str, Path]:
    """Return what was built, by the names that pages use. A part of it would be a page that does not work: then
    nothing."""
    if not (folder / MANIFEST).is_file():
        return {}
    names = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=dict[str, str])
    found = {name: folder / file for name, file in names.items()}
    return found if all(path.is_file() and path.parent == folder for path in found.values()) else {}


@cache
def shared_assets() -> Assets:
    """Return the assets that this installation brings."""
    return Assets()
