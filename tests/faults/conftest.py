"""Heavy faults have a mark and run with `make faults`; the others run with everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from faults.site import Site
from faults.wire import close_all

MakeSite = Callable[..., Site]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "heavy: takes long or fills the machine; `make faults` runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.markexpr:
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    if heavy:
        config.hook.pytest_deselected(items=heavy)
        items[:] = [item for item in items if item not in heavy]


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[MakeSite]:
    yield lambda **settings: Site(tmp_path, **settings)
    await close_all()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()
