"""The page about keys names every key that the code derives, every secret setting and every table with a secret."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import sekisho
from architecture.test_explained_tables import GENERATOR
from sekisho.settings import reference
from sekisho.storage.data_classes import REGISTER

SOURCE = Path(sekisho.__file__).parent
USES = {"derive": "key", "tag": "tag", "lasting_tag": "lasting", "seal": "seal"}
# Values that are sealed or tagged with a derived key of the second table, and rows that only carry somebody's code.
BY_DERIVED_KEYS = {"one_time_codes", "factors", "recovery_codes", "outbox", "audit", "audit_seals", "meta"}


def purposes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the use and the purpose of each key that a module asks the master secret for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "OpaqueForm":
            yield "key", next(text(word.value, constants) for word in node.keywords if word.arg == "purpose")
        elif isinstance(node.func, ast.Attribute) and node.func.attr in USES and "master" in ast.unparse(node.func):
            if path.name == "opaque_form.py":
                continue
            yield USES[node.func.attr], text(node.args[0], constants)


def text(node: ast.expr, constants: dict[str, object]) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Name):
        return str(constants[node.id])
    assert isinstance(node, ast.JoinedStr), ast.unparse(node)
    return ast.unparse(node)[2:-1]


def test_every_purpose_of_the_master_secret_is_listed_once_and_none_is_invented() -> None:
    listed = [(key["use"], purpose) for key in GENERATOR.keys()["derived"] for purpose in key["purposes"]]
    found = {each for path in SOURCE.rglob("*.py") if path.name != "master_secret.py" for each in purposes(path)}

    assert set(listed) == found
    assert len(listed) == len(set(listed))


def test_every_secret_setting_is_listed_once() -> None:
    listed = [path for key in GENERATOR.keys()["setting"] for path in key["paths"]]

    assert sorted(listed) == sorted(variable.path for variable in reference() if variable.kind == "secret")


def test_every_table_with_a_secret_is_listed_or_stands_on_a_derived_key() -> None:
    listed = {table for key in GENERATOR.keys()["stored"] for table in key["tables"]}

    assert listed | BY_DERIVED_KEYS >= {table for table, kept in REGISTER.items() if kept.secret}
    assert listed <= set(REGISTER)
