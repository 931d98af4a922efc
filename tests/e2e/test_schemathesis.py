"""Schemathesis reads the OpenAPI document and sends what it can think of: never a 5xx, always the documented form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from live_server import LiveServer, live_server
from sekisho.http.openapi import document
from sekisho.http.routes import ROUTES

schema = schemathesis.openapi.from_dict(document(ROUTES))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("schemathesis")) as running:
        yield running


@schema.parametrize()
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_input_makes_a_server_error(case: schemathesis.Case, server: LiveServer) -> None:
    case.call_and_validate(
        base_url=server.url,
        checks=[not_a_server_error, content_type_conformance, response_schema_conformance],
    )
