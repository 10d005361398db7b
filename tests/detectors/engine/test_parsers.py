"""The readers there are, found by walking, and what is loaded for them."""

from __future__ import annotations

import codecs
import subprocess
import sys

import pytest

from detectors.engine import parsers
from detectors.engine.media_types import MEDIA_TYPES


def test_every_reader_names_types_of_the_closed_table() -> None:
    assert set(parsers.readers()) <= set(MEDIA_TYPES)
    assert {"text/plain", "application/zip", "application/json"} <= set(parsers.readers())


@pytest.mark.parametrize("name", parsers.CODECS)
def test_every_encoding_is_one_that_python_has(name: str) -> None:
    assert codecs.lookup(name)


def test_an_encoding_that_python_lacks_is_passed_over() -> None:
    parsers.load_codecs(["no-such-encoding"])


def test_a_light_process_loads_no_large_parser_and_a_heavy_one_all() -> None:
    code = (
        "import sys; from detectors.engine import parsers; parsers.load({heavy});"
        "print(*(name for name in parsers.heavy_imports() if name in sys.modules))"
    )
    for heavy, expected in ((False, set()), (True, set(parsers.heavy_imports()))):
        done = subprocess.run(
            [sys.executable, "-I", "-c", code.format(heavy=heavy)], capture_output=True, text=True, check=True
        )
        assert set(done.stdout.split()) == expected
