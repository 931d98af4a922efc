"""The listening socket: bound before anything else, so that a taken port is one sentence."""

from __future__ import annotations

import errno
import socket

BACKLOG = 2048


class PortRefused(Exception):
    """why: `port_taken`, `port_forbidden` or `host_unknown`."""

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why
        self.detail = detail


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Connections wait in its queue until the server accepts them.

    Raises:
        PortRefused: see there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise PortRefused("host_unknown", error.strerror or str(error)) from error
    listener = socket.socket(family, kind, protocol)
    try:
        # A restart must not wait for the connections of the process before it; a port in use stays refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise PortRefused(_why(error), error.strerror or str(error)) from error
    listener.setblocking(False)
    return listener


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "port_taken"
    return "port_forbidden" if error.errno in (errno.EACCES, errno.EPERM) else "host_unknown"
