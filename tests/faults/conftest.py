"""Sites for the fault runs. Those marked `heavy` run with `make faults`, the others with everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from faults.engines import Engine, new_engine
from faults.site import Site
from faults.wire import close_all

MakeSite = Callable[..., Site]


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """SQLite, unless a test asks for others; see `engines.ON_EVERY_ENGINE`."""
    made = new_engine(getattr(request, "param", "sqlite"), tmp_path)
    yield made
    made.remove()


@pytest.fixture
async def make_site(tmp_path: Path, engine: Engine) -> AsyncIterator[MakeSite]:
    yield lambda **settings: Site(tmp_path, engine, **settings)
    await close_all()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()
