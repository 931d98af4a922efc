"""Sites for the fault runs. Those marked `heavy` run with `make faults`, the others with everything else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from faults.site import Site
from faults.wire import close_all

MakeSite = Callable[..., Site]


@pytest.fixture
async def make_site(tmp_path: Path) -> AsyncIterator[MakeSite]:
    yield lambda **settings: Site(tmp_path, **settings)
    await close_all()


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    return make_site()
