"""How pages are made: Jinja templates that escape everything, and the few filters that they use."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from console.audit import particulars
from console.roles import Deed
from console.shown import paragraphs, shortened, shown

FOLDER = Path(__file__).with_name("templates")


def environment() -> Environment:
    """Every expression of a template is made visible and then escaped; an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "when": when, "iso": iso, "short": shortened, "words": words, "lines": lines, "count": count,
        "particulars": particulars,
        "size": size,
        "raw_lines": raw_lines,
    }  # fmt: skip
    made.globals |= {"Deed": Deed}
    return made


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """One page, or the part of one that htmx asked for."""
    house = request.app.state.house
    values.setdefault("caller", getattr(request.state, "caller", None))
    values.setdefault("now", house.clock())
    made: Environment = house.templates
    text = made.get_template(template).render(here=request.url.path, **values)
    return HTMLResponse(text.encode("utf-8", "backslashreplace"), status)


def _visible(value: object) -> object:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def when(seconds: float | None) -> str:
    """A time in UTC, to the minute."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M") if seconds else "–"


def iso(seconds: float | None) -> str:
    """The same for machines."""
    return datetime.fromtimestamp(seconds or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def words(code: str | None) -> str:
    """A code of ours as people read it."""
    return (code or "–").replace("_", " ")


def lines(text: str) -> Markup:
    """A note with its line breaks."""
    return Markup("<br>").join(escape(line) for line in paragraphs(text).split("\n"))


def raw_lines(text: str) -> Markup:
    """Text of several lines, for `pre`."""
    return Markup("\n").join(escape(line) for line in paragraphs(text).split("\n"))


def count(number: int | None) -> str:
    return f"{number:,}" if number is not None else "–"


def size(number: int) -> str:
    """Bytes, in the unit that reads best."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return ""
