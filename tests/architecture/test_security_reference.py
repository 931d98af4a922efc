"""The security page says what the tests prove, and nothing else."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("security_reference", ROOT / "scripts" / "security_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()


def test_rows_and_tests_fit_together() -> None:
    rows = GENERATOR.read_rows(GENERATOR.ROWS.read_text(encoding="utf-8"))

    assert list(GENERATOR.mistakes(rows, GENERATOR.find_proofs(ROOT / "tests"))) == []


@pytest.mark.parametrize("name", ["security.md", "security.ja.md"])
def test_the_page_is_what_rows_and_tests_say(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_bytes()

    assert written == GENERATOR.pages()[name].encode(), (
        f"docs/reference/{name} is stale. Run `python scripts/security_reference.py` and commit the result."
    )


def test_no_row_is_without_a_state() -> None:
    lines = [line.split(" | ") for line in GENERATOR.pages()["security.md"].splitlines() if line.startswith("| ")]
    rows = [cells for cells in lines if cells[0][2:4] not in ("ro", "--", "| ") and len(cells) == 4]

    assert len(rows) > 450
    assert {cells[2] for cells in rows} == {"done", "begun", "open", "not applicable"}
    assert all(cells[3].strip(" |") for cells in rows)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("test_V7_4_1_after_a_logout", ["V7.4.1"]),
        ("test_KA_020_FS_04_a_hundred", ["KA-020", "FS-04"]),
        ("test_N_02_and_V6_2_9_256_code_points", ["N-02", "V6.2.9"]),
        ("test_V11_4_2_R_01_P_20_x", ["V11.4.2", "R-01", "P-20"]),
        ("test_a_STEP_01_of_something", []),
        ("test_KA_20_is_too_short_and_KA_0200_too_long", []),
    ],
)
def test_ids_are_read_from_names(name: str, found: list[str]) -> None:
    assert GENERATOR.ids_in(name) == found


@pytest.mark.parametrize(
    ("rows", "proofs", "wrong"),
    [
        ('[KA]\n"001" = "words"', {}, "KA-001: no test carries this id"),
        ('[KA]\n"001" = "words"', {"KA-001": ["a"], "KA-002": ["b"]}, "KA-002: in the name of a test"),
        ('[KA]\n"001" = ["words", "see", "KA-002"]', {}, "KA-001: proven by KA-002, which has no test"),
        ('[KA]\n"001" = ["words", "not applicable", "why"]', {"KA-001": ["a"]}, "KA-001: called not applicable, but a"),
        ('[KA]\n"001" = ["words", "document", "docs/nothing.md"]', {}, "KA-001: no such document"),
        ('[KA]\n"001" = ["words", "soon", "later"]', {}, "KA-001: no such state"),
        ('[KA]\n"001" = ["w", "open", "x"]\n"001..002" = ["w", "open", "x"]', {}, "rows that stand twice"),
    ],
)
def test_a_page_that_would_not_be_true_is_not_made(rows: str, proofs: dict[str, list[str]], wrong: str) -> None:
    read = GENERATOR.read_rows(rows)

    assert [line[: len(wrong)] for line in GENERATOR.mistakes(read, proofs)] == [wrong]
    with pytest.raises(GENERATOR.WrongRows):
        GENERATOR.page("en", read, proofs)


def test_a_range_stands_for_each_of_its_rows() -> None:
    rows = GENERATOR.read_rows('[V4]\n"4.2..4" = ["w", "open", "x"]\n[KA]\n"009..011" = ["w", "open", "x"]')

    assert [row.id for row in rows] == ["V4.4.2", "V4.4.3", "V4.4.4", "KA-009", "KA-010", "KA-011"]


def test_begun_is_what_has_tests_and_is_still_open() -> None:
    [row] = GENERATOR.read_rows('[FS]\n"04" = ["words", "open", "elsewhere"]')

    assert GENERATOR.state(row, {"FS-04": ["`tests/a.py`"]}) == ("begun", "`tests/a.py`; rest: elsewhere")
    assert GENERATOR.state(row, {}) == ("open", "elsewhere")


def test_the_tests_of_the_npm_package_prove_the_rows_at_the_end_of_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "sdk" / "test" / "core"
    folder.mkdir(parents=True)
    names = [
        '"one refresh (R-01, V14.3.3)"',
        "`no token, over %s (R-01)`",
        '"(KA-106) stands in the middle"',
        '"85 % (V1)"',
    ]
    (folder / "refresh.test.ts").write_text("\n".join(f"test({name}, () => {{}});" for name in names))

    found = GENERATOR.find_proofs(tmp_path / "tests")

    assert found == {"R-01": ["`sdk/test/core/refresh.test.ts` (2)"], "V14.3.3": ["`sdk/test/core/refresh.test.ts`"]}
