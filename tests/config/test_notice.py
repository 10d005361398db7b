"""The notice's settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from config.notice import Notice


@pytest.mark.parametrize(
    "plain",
    [
        {"languages": []}, {"languages": ["fr"]}, {"languages": ["en", "en"]}, {"request_socket": "here"},
        {"rule": "x" * 300}, {"language": "en"},
    ],
)  # fmt: skip
def test_what_makes_no_notice_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Notice.model_validate(plain)
