"""What a parser raises over broken content is a reason; what is a fault of ours is not hidden."""

from __future__ import annotations

import pytest

from detectors.engine.faults import malformed_if
from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason


class Own(Exception):
    """An exception of a parser's own."""


PanicException = type("PanicException", (BaseException,), {})


@pytest.mark.parametrize("fault", [ValueError("a cell"), Own("a cell"), PanicException("a cell")])
def test_what_a_parser_raises_is_malformed_and_its_words_are_dropped(fault: BaseException) -> None:
    with pytest.raises(Unreadable) as told, malformed_if(Own):
        raise fault
    assert (str(told.value), told.value.__cause__) == ("malformed", None)


@pytest.mark.parametrize("passing", [MemoryError(), KeyboardInterrupt(), Unreadable(Reason.LIMIT_EXPANDED)])
def test_what_is_no_fault_of_content_passes(passing: BaseException) -> None:
    with pytest.raises(type(passing)), malformed_if(Own):
        raise passing
