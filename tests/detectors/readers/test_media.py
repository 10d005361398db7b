"""A picture holds no tables; what is appended to one may."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from pathlib import Path

import pytest

from detectors.engine.sniff import sniff
from detectors.engine.table import Content, Part, ReadLimits, Text, Unreadable
from detectors.engine.verdict import Reason
from detectors.readers import media

CSV = b"id,age,sex\n" + b"".join(b"%d,%d,%d\n" % (i, i % 90, i % 2) for i in range(200))


def chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def png(*extra: bytes) -> bytes:
    pixels = zlib.compress(b"\0\xff\x80\x40" * 64)
    header = chunk(b"IHDR", struct.pack(">2I5B", 1, 64, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg(comment: bytes = b"") -> bytes:
    said = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment if comment else b""
    start = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + said
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(range(200)) + b"\xff\0\xff\xd3" + bytes(range(200)) * 900
    frame = b"\xff\xc0\0\x0b\x08\0\1\0\1\1\1\x11\0"
    return start + frame + scan + b"\xff\xd9"


def gif() -> bytes:
    comment = b"!\xfe\x05hello\0"
    image = b"," + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"
    return b"GIF89a" + struct.pack("<2HBBB", 1, 1, 0x80, 0, 0) + bytes(6) + comment + image + b";"


def riff() -> bytes:
    return (
        b"RIFF"
        + struct.pack("<I", 4 + 8 + 1000)
        + b"WAVEfmt "
        + struct.pack("<I", 1000)
        + bytes(range(250)) * 4
    )


def film() -> bytes:
    return (
        struct.pack(">I", 24)
        + b"ftypisom"
        + bytes(12)
        + struct.pack(">I", 1008)
        + b"mdat"
        + bytes(range(250)) * 4
    )


def bitmap() -> bytes:
    return (
        b"BM"
        + struct.pack("<IHHI", 1054, 0, 0, 54)
        + struct.pack("<I", 40)
        + struct.pack("<2I", 30, 10)
        + bytes(range(250)) * 4
        + bytes(28)
    )


PICTURES = {
    "image/png": png(),
    "image/jpeg": jpeg(),
    "image/gif": gif(),
    "audio/wav": riff(),
    "video/mp4": film(),
    "image/bmp": bitmap(),
    "application/x-elf": Path(sys.executable).resolve().read_bytes(),
    "font/ttf": b"\0\x01\0\0\0\x0c" + bytes(range(250)) * 8,
}


def contents(data: bytes, media_type: str) -> list[Content]:
    """All there is in it; a picture that was damaged may be one that is too large to be passed over."""
    found: list[Content] = []
    try:
        found.extend(media.read(io.BytesIO(data), media_type, ReadLimits()))
    except Unreadable as stopped:
        assert stopped.reason is Reason.UNSUPPORTED
    return found


@pytest.mark.parametrize("media_type", PICTURES)
def test_the_made_up_picture_is_what_it_says(media_type: str) -> None:
    data = PICTURES[media_type]
    assert sniff(data[:65536], data[-65536:], len(data)) == media_type


@pytest.mark.parametrize("media_type", PICTURES)
def test_an_ordinary_picture_holds_no_table_and_no_part(media_type: str) -> None:
    assert not [c for c in contents(PICTURES[media_type], media_type) if not isinstance(c, Text)]


@pytest.mark.parametrize("media_type", PICTURES)
def test_a_table_appended_to_a_picture_is_a_part(media_type: str) -> None:
    (part,) = [c for c in contents(PICTURES[media_type] + CSV, media_type) if isinstance(c, Part)]
    said = part.open().read()
    assert said.endswith(CSV[100:])


@pytest.mark.parametrize("media_type", sorted(set(PICTURES) - {"font/ttf"}))
def test_a_binary_table_appended_to_a_picture_is_a_part(media_type: str) -> None:
    parquet = b"PAR1" + bytes(range(256)) * 20 + b"PAR1"
    (part,) = [c for c in contents(PICTURES[media_type] + parquet, media_type) if isinstance(c, Part)]
    assert part.open().read() == parquet


def test_a_cameras_small_trailer_is_passed_over() -> None:
    assert not contents(jpeg() + b"\x01\xfe\x02SEFH" + bytes(range(256)) * 8, "image/jpeg")
    assert not contents(png() + bytes(3000), "image/png")


def test_a_second_picture_behind_the_first_is_a_part() -> None:
    (part,) = contents(jpeg() + jpeg(), "image/jpeg")
    assert isinstance(part, Part)
    assert part.open().read() == jpeg()


def test_comments_are_text() -> None:
    for data, media_type in (
        (png(chunk(b"tEXt", b"Note\0A made-up line")), "image/png"),
        (jpeg(b"A made-up line"), "image/jpeg"),
    ):
        (text,) = contents(data, media_type)
        assert isinstance(text, Text)
        assert any("made-up line" in line for line in text.lines)


@pytest.mark.parametrize("media_type", PICTURES)
@pytest.mark.parametrize("cut", [1, 9, 20, 40, 70])
def test_a_broken_picture_raises_nothing(media_type: str, cut: int) -> None:
    contents(PICTURES[media_type][:cut], media_type)
    contents(PICTURES[media_type][:cut] + b"\xff" * 500, media_type)


def frame(wide: int, high: int) -> bytes:
    """A JPEG that says it is so large."""
    return jpeg().replace(b"\x08\0\1\0\1", b"\x08" + struct.pack(">2H", high, wide))


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png().replace(struct.pack(">2I", 1, 64), struct.pack(">2I", 800, 600)), "image/png"),
        (gif().replace(struct.pack("<2H", 1, 1), struct.pack("<2H", 800, 600), 1), "image/gif"),
        (frame(800, 600), "image/jpeg"),
        (b"RIFF\xf4\x07\0\0WEBP" + bytes(2032), "image/webp"),
    ],
)
def test_a_picture_that_may_show_a_list_is_not_called_clean(data: bytes, media_type: str) -> None:
    with pytest.raises(Unreadable, match="unsupported"):
        list(media.read(io.BytesIO(data), media_type, ReadLimits()))


@pytest.mark.parametrize(
    ("data", "media_type"), [(frame(64, 64), "image/jpeg"), (b"\0\0\1\0" + bytes(4000), "image/x-icon")]
)
def test_an_icon_shows_no_list(data: bytes, media_type: str) -> None:
    assert not list(media.read(io.BytesIO(data), media_type, ReadLimits()))
