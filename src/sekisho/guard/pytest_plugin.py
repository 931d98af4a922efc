"""Fixtures for the tests of a protected API: `pytest_plugins = ["sekisho.guard.pytest_plugin"]` in your conftest."""

from __future__ import annotations

import pytest

from sekisho.guard.testing import FakeIssuer


@pytest.fixture(scope="session")
def fake_issuer() -> FakeIssuer:
    """One issuer for all tests; give `fake_issuer.verifier()` to your API."""
    return FakeIssuer()
