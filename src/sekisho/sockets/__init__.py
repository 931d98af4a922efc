"""Sockets: where the server listens, who of several workers accepts, and what one connection bounds and offers."""
