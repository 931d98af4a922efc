"""Pure protocol: bytes in, values out. No clocks, sockets, files or settings."""
