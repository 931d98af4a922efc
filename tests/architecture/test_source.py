"""What the source must never do, whichever module does it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sekisho

SOURCE = Path(sekisho.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))
GUESSABLE = {"random", "uuid"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


def where(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}"


def parsed(*, outside: str) -> Iterator[tuple[Path, ast.AST]]:
    for path in FILES:
        relative = path.relative_to(SOURCE)
        if outside not in (relative.parts[0], relative.stem):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> set[str]:
    """Return the top-level packages that an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.split(".")[0]}
    return set()


def reads_environment(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom) and node.module == "os":
        return any(alias.name in ENVIRONMENT for alias in node.names)
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ENVIRONMENT
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    )


def imports_in_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from (node for node in ast.walk(function) if isinstance(node, ast.Import | ast.ImportFrom))


def compares_secrets(node: ast.AST) -> bool:
    """Say whether `==` decides over a name that ends like a secret, whose time could be measured."""
    if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
        return False
    sides = [node.left, *node.comparators]
    if any(isinstance(side, ast.Constant) for side in sides):
        return False
    names = [side.attr if isinstance(side, ast.Attribute) else getattr(side, "id", "") for side in sides]
    return any(name.split("_")[-1] in ("mac", "secret", "signature", "digest") for name in names)


def test_only_settings_reads_the_environment() -> None:
    found = [
        where(path, node)
        for path, tree in parsed(outside="settings")
        for node in ast.walk(tree)
        if reads_environment(node)
    ]
    assert found == []


def test_nothing_is_imported_inside_a_function_except_in_the_command_line() -> None:
    assert [where(path, node) for path, tree in parsed(outside="cli") for node in imports_in_functions(tree)] == []


@pytest.mark.parametrize("package", sorted(GUESSABLE))
def test_nothing_guessable_is_ever_imported(package: str) -> None:
    trees = parsed(outside="")
    assert [where(path, node) for path, tree in trees for node in ast.walk(tree) if package in imported(node)] == []


def test_secrets_are_compared_in_constant_time() -> None:
    trees = parsed(outside="settings")
    assert [where(path, node) for path, tree in trees for node in ast.walk(tree) if compares_secrets(node)] == []


@pytest.mark.parametrize(
    ("line", "is_caught"),
    [
        ("os.environ['X']", True),
        ("os.getenv('X')", True),
        ("from os import environ", True),
        ("jinja.environment", False),
        ("os.path", False),
    ],
)
def test_the_search_for_the_environment_finds_what_it_should(line: str, is_caught: bool) -> None:
    assert any(reads_environment(node) for node in ast.walk(ast.parse(line))) is is_caught


@pytest.mark.parametrize(
    ("line", "is_caught"),
    [
        ("mac == expected", True),
        ("row.session_secret != presented", True),
        ("compare_digest(mac, expected)", False),
        ("secret == ''", False),
        ("counter == row.counter", False),
    ],
)
def test_the_search_for_compared_secrets_finds_what_it_should(line: str, is_caught: bool) -> None:
    assert any(compares_secrets(node) for node in ast.walk(ast.parse(line))) is is_caught


def test_the_search_for_imports_finds_them_at_any_depth() -> None:
    tree = ast.parse("async def a():\n    if b:\n        import c")
    assert len(list(imports_in_functions(tree))) == 1
    assert imported(ast.parse("import random.x").body[0]) == {"random"}
