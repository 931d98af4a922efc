"""The bytes of a request, built once where they do not change. The same headers for every target, bare handler too."""

from __future__ import annotations

_COMMON = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36\r\n"
    "Accept: application/json\r\n"
    "Accept-Language: en\r\n"
)


def post_head(path: str, body_bytes: int) -> bytes:
    """Return everything of a POST before its JSON body."""
    return (
        f"POST {path} HTTP/1.1\r\n{_COMMON}Content-Type: application/json\r\nContent-Length: {body_bytes}\r\n\r\n"
    ).encode()


def post(path: str, body: bytes) -> bytes:
    return post_head(path, len(body)) + body


def get(path: str, *headers: str) -> bytes:
    own = "".join(f"{header}\r\n" for header in headers)
    return f"GET {path} HTTP/1.1\r\n{_COMMON}{own}\r\n".encode()
