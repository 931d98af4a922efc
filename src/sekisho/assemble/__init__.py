"""Assemble: the one place that wires everything.

parts         what stands on the settings alone: keys of the master secret, limits, the hash pool
stores        opening the store, and holding the master secret to it
operating     parts + an open store, for the operator's commands
edges         parts + store + keys = the edge: every flow with what it needs
serving       the edge with its background work, and the whole as an ASGI application
"""

from sekisho.assemble.operating import operator
from sekisho.assemble.parts import Parts, SystemClock, parts
from sekisho.assemble.serving import Place, Served, application, running
from sekisho.assemble.stores import FormerSecretsDamaged, WrongMasterSecret, examine_redis, open_store

__all__ = [
    "FormerSecretsDamaged",
    "Parts",
    "Place",
    "Served",
    "SystemClock",
    "WrongMasterSecret",
    "application",
    "examine_redis",
    "open_store",
    "operator",
    "parts",
    "running",
]
