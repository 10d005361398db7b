"""schemathesis calls every operation of the OpenAPI document with what it may and may not be given: no 5xx,
and no answer that the document does not tell of."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from console.roles import Role

CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance]


@pytest.fixture
def api(rig):
    agent = rig.agent()
    rig.send(agent, *(agent.alert(n) for n in range(3)))
    rig.headers = rig.token("all", *Role)
    return schemathesis.openapi.from_asgi("/api/openapi.json", rig.app, headers={"Host": "127.0.0.1"})


@pytest.mark.timeout(400)
def test_no_call_is_a_fault_of_the_server(rig, api):
    operations = [found.ok() for found in api.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
        for mode in modes:

            @settings(
                max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def call(case):
                case.call_and_validate(headers={**rig.headers, "Host": "127.0.0.1"}, checks=CHECKS)

            call()
