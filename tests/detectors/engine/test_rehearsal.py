"""What a worker that waits judges."""

from __future__ import annotations

import io

from detectors.engine.examine import examine
from detectors.engine.judge import Judge
from detectors.engine.rehearsal import records
from detectors.engine.table import ReadLimits


def test_a_rehearsal_goes_the_way_of_a_file_that_is_taken() -> None:
    assert records() == records()
    verdict = examine(io.BytesIO(records()), len(records()), Judge(), ReadLimits())
    assert (verdict.flagged, verdict.complete) == (True, True)
