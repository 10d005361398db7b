"""Whether any of a few words is in a text at all: one search, where a look for each is five or seven."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import re2


class Words:
    """Words in small ASCII letters, as parts of others too."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = tuple(words)
        options = re2.Options()
        options.case_sensitive = False
        options.never_capture = True
        self._any: Any = re2.compile("|".join(map(re2.escape, self._words)), options)

    def stand_in(self, text: str) -> bool:
        """Whether one of them is in `text`, in whatever case."""
        if text.isascii():
            return self._any.search(text.encode()) is not None
        low = text.lower()
        return any(word in low for word in self._words)
