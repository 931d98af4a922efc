"""Sekisho: a self-hosted authentication and session server."""

__version__ = "0.1.0"
