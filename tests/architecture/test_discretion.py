"""What holds a secret does not show it: a value that lands in a log or a traceback tells its kind only (V16.2.5)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from msgspec import Struct

import sekisho
from sekisho.flows.login import Login
from sekisho.model import Origin, Transport

TELLING_NAMES = {
    *("password", "password_hash", "old_hash", "new_hash", "code", "refresh_token", "access_token", "credential"),
    *("device_token", "session_cookie", "secret", "csrf_token", "text", "html", "values", "value"),
}
# Names of sessions and facts, masked settings, and the findings of `doctor` are there to be shown.
PUBLIC = {"JournalEntry", "Revocation", "RevocationView", "AppendJournal", "SetMeta", "Row", "Check"}


def structs() -> Iterator[type[Struct]]:
    for module in pkgutil.walk_packages(sekisho.__path__, "sekisho."):
        if ".migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting = list(Struct.__subclasses__())
    while waiting:
        each = waiting.pop()
        waiting += each.__subclasses__()
        if each.__module__.startswith("sekisho."):
            yield each


@pytest.mark.parametrize("struct", sorted(set(structs()), key=str), ids=lambda struct: struct.__name__)
def test_V16_2_5_a_struct_with_a_secret_in_it_has_a_discreet_repr(struct: type[Struct]) -> None:
    telling = TELLING_NAMES & set(struct.__struct_fields__)

    assert not telling or struct.__name__ in PUBLIC or struct.__repr__ is not Struct.__repr__, telling


def test_V16_2_5_a_request_shows_its_kind_only() -> None:
    request = Login("hana@example.com", "the password", "web", Transport.BODY, Origin(device_token="the device"))

    assert repr(request) == "Login(…)"
    assert "the" not in f"{[request]!r} {request.seen_from!r}"
