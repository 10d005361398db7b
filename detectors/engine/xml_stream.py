"""XML as events, for formats that are XML inside: no DTD, no entities, no network, bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from detectors.engine.table import Unreadable
from detectors.engine.verdict import Reason

FEED_BYTES = 64 * 1024
MAX_TOKEN_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 256

StartTag = Callable[[str, dict[str, str]], None]
EndTag = Callable[[str], None]
Characters = Callable[[str], None]


def _refuse(*_: object) -> int:
    raise Unreadable(Reason.MALFORMED)


def local(name: str) -> str:
    """An element's or attribute's name without its namespace (names come as "namespace name")."""
    return name.rpartition(" ")[2]


def feed(
    stream: BinaryIO,
    start: StartTag | None,
    end: EndTag | None,
    characters: Characters | None,
    doctype: bool = False,
) -> Iterator[None]:
    """Parse the stream, calling back; yields after each piece so that the caller may hand on what it has.

    A declared entity, broken XML or one token of more than 8 MiB raises `Unreadable`; so does a
    document type declaration unless `doctype` allows one (nothing that it names is fetched).
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    if not doctype:
        parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = (lambda *_: 1) if doctype else _refuse
    parser.buffer_text = True
    parser.buffer_size = 32 * 1024
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    fed = 0
    try:
        while chunk := stream.read(FEED_BYTES):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - max(parser.CurrentByteIndex, 0) > MAX_TOKEN_BYTES:
                raise Unreadable(Reason.LIMIT_CELL)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError, OverflowError):
        raise Unreadable(Reason.MALFORMED) from None
    yield


def texts(stream: BinaryIO, tags: frozenset[str], breaks: frozenset[str]) -> Iterator[str]:
    """Lines of the text inside elements whose local name is in `tags`; `breaks` end a line."""
    parts: list[str] = []
    lines: list[str] = []
    inside = 0

    def start(name: str, _: dict[str, str]) -> None:
        nonlocal inside
        inside += local(name) in tags

    def end(name: str) -> None:
        nonlocal inside
        name = local(name)
        inside -= name in tags
        if name in breaks and parts:
            lines.append("".join(parts))
            parts.clear()

    def characters(data: str) -> None:
        if inside:
            parts.append(data)

    for _ in feed(stream, start, end, characters):
        yield from lines
        lines.clear()
    if parts:
        yield "".join(parts)
