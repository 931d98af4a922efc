"""What a rule between settings yields."""

from __future__ import annotations

from msgspec import Struct


class Fault(Struct, frozen=True):
    """A broken rule. `example` is a value; "" means the one of the setting's reference."""

    path: str
    en: str
    ja: str
    example: str = ""
