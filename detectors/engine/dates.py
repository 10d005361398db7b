"""Numbers that formats keep for dates, as ISO text."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta

_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_BUILT_IN_DATES = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
_BUILT_IN_TIMES = frozenset((18, 19, 20, 21, 45, 46, 47))


def format_kind(number: int, code: str | None) -> str:
    """What a spreadsheet's number format shows: `date`, `time`, or "" for a number."""
    if code is None:
        return "date" if number in _BUILT_IN_DATES else "time" if number in _BUILT_IN_TIMES else ""
    plain = _QUOTED.sub("", code.split(";")[0]).lower()
    if "general" in plain or not plain:
        return ""
    if re.search(r"[yd]|mmm", plain):
        return "date"
    return "time" if re.search(r"[hs]", plain) else "date" if "m" in plain and "0" not in plain else ""


def from_serial(text: str, kind: str, from_1904: bool) -> str:
    """A spreadsheet's day count as ISO text; the text itself if it is no such count."""
    try:
        days = float(text)
    except ValueError:
        return text
    if not math.isfinite(days) or not 0 <= days < 2_958_466:
        return text
    whole, part = divmod(days, 1)
    if kind == "time" and not whole:
        return str(timedelta(seconds=round(part * 86_400)))
    if not from_1904 and whole < 60:
        whole += 1
    first = date(1904, 1, 1) if from_1904 else date(1899, 12, 30)
    day = first + timedelta(days=int(whole))
    if part < 1e-9:
        return day.isoformat()
    moment = datetime(day.year, day.month, day.day) + timedelta(seconds=round(part * 86_400))
    return moment.isoformat(" ")
