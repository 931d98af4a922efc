"""A script that needs no memory of earlier answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator


class Taking:
    """The next request of a source that users may share. `judge` is also given the text that came with the request,
    which an answer that belongs to nobody else must contain."""

    def __init__(self, source: Iterator[tuple[bytes, bytes]], judge: Callable[[bytes, int, bytes], str]) -> None:
        self._source = source
        self._judge = judge
        self._mark = b""

    def request(self) -> bytes:
        request, self._mark = next(self._source)
        return request

    def judge(self, status: int, body: bytes) -> str:
        return self._judge(self._mark, status, body)


def must_contain(mark: bytes, status: int, body: bytes) -> str:
    """Judge an answer that is the caller's own data (I7)."""
    if status != 200:
        return f"a good request was answered with {status}"
    return "" if mark in body else "an answer without the caller's own data"
