"""The fuzzer sees what it is there to see: planted faults are found, by place and by mark."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[2]
PLANTED = {
    "an exception": ("raise ValueError(MARK)", {"ValueError-<string>-3"}),
    "a print": ("print(MARK)\n    return iter(())", {"mark"}),
    "nothing": ("return iter(())", set()),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_fault_is_found(planted: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris")
    body, expected = PLANTED[planted]
    code = f"""
def read(stream, media_type, limits):
    {body}

from pathlib import Path
from fuzz_target import MARK, Target
from detectors.readers import plain_text
plain_text.read = read
Target(Path({str(tmp_path)!r}))((MARK + ",a\\n1,2\\n").encode() * 20)
"""
    subprocess.run(
        [sys.executable, "-c", code], cwd=HERE / "benchmarks", env={"PYTHONPATH": str(HERE)}, check=True
    )
    assert {path.name for path in tmp_path.iterdir()} == expected
