"""Mail: bodies and attachments decoded, nothing passed over between the boundaries."""

from __future__ import annotations

import base64
import io
import random
from email.message import EmailMessage

import pytest

from detectors.engine.table import Part, ReadLimits, Text, Unreadable
from detectors.readers.mail import from_base64, from_quoted, read

CSV = b"id,age\r\n" + b"1,30\r\n2,41\r\n" * 4000


def message(subject: str = "Return") -> EmailMessage:
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = "a@example.org", "b@example.org", subject
    found["Date"] = "Thu, 14 Mar 2024 09:26:53 +0000"
    found.set_content("See below.\n")
    return found


def leaves(data: bytes, media_type: str = "message/rfc822") -> tuple[list[bytes], list[str], list[str]]:
    """Contents of the parts, their names, and the lines of text."""
    parts: list[bytes] = []
    names: list[str] = []
    lines: list[str] = []
    for content in read(io.BytesIO(data), media_type, ReadLimits()):
        if isinstance(content, Part):
            assert content.position == len(parts)
            parts.append(content.open().read())
            names.append(content.untrusted_name)
        elif isinstance(content, Text):
            lines += content.lines
    return parts, names, lines


@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "7bit"])
def test_an_attachment_comes_out_as_it_was_sent(cte: str) -> None:
    mail = message("Grüße")
    mail.add_attachment(CSV.decode(), cte=cte, filename="naïve.csv")
    parts, names, lines = leaves(mail.as_bytes())
    assert parts[1].replace(b"\r\n", b"\n").strip() == CSV.replace(b"\r\n", b"\n").strip()
    assert names[1] == "naïve.csv"
    assert lines == ["Grüße"]


def test_a_forwarded_mail_is_read_to_its_attachment() -> None:
    inner = message()
    inner.add_attachment(CSV, maintype="application", subtype="octet-stream", filename="x")
    outer = message()
    outer.add_attachment(inner)
    parts, _, _ = leaves(outer.as_bytes())
    assert CSV in parts


def test_what_stands_outside_the_boundaries_is_read() -> None:
    mail = message()
    mail.add_attachment(b"x", maintype="text", subtype="csv", filename="x")
    data = mail.as_bytes()
    head, _, body = data.partition(b"\n\n")
    parts, _, _ = leaves(head + b"\n\nhidden before\n" + body + b"\nhidden after\n")
    assert any(b"hidden before" in part for part in parts)
    assert any(b"hidden after" in part for part in parts)


def test_boundaries_are_found_wherever_a_piece_of_the_stream_ends() -> None:
    for padding in range(65_450, 65_560, 7):
        mail = message()
        mail.add_attachment("y" * 50 + "\n", filename="a.txt", cte="7bit")
        data = mail.as_bytes().replace(b"See below.", b"z" * padding)
        parts, _, _ = leaves(data)
        assert len(parts) == 2
        assert parts[1].strip() == b"y" * 50


def test_a_mailbox_gives_every_message() -> None:
    box = b"".join(
        b"From a@example.org Thu Mar 14 09:26:53 2024\n" + message(f"N{i}").as_bytes() + b"\n"
        for i in range(5)
    )
    parts, _, lines = leaves(box, "application/mbox")
    assert lines == [f"N{i}" for i in range(5)]
    assert len(parts) == 5


def test_a_mail_without_its_end_is_malformed() -> None:
    mail = message()
    mail.add_attachment(CSV, maintype="text", subtype="csv", filename="x")
    data = mail.as_bytes()
    with pytest.raises(Unreadable, match="malformed"):
        leaves(data[: len(data) // 2])


def test_nesting_has_a_limit() -> None:
    mail = message()
    for _ in range(30):
        outer = EmailMessage()
        outer.set_content("x")
        outer.add_attachment(mail)
        mail = outer
    with pytest.raises(Unreadable, match="limit_depth"):
        leaves(mail.as_bytes())


def test_base64_is_read_leniently_but_text_is_no_base64() -> None:
    noise = random.Random(2).randbytes(5000)
    text = base64.encodebytes(noise)
    for step in (1, 3, 76, 4000):
        assert b"".join(from_base64(text[i : i + step] for i in range(0, len(text), step))) == noise
    twice = base64.b64encode(noise[:10]) + base64.b64encode(noise[10:])
    assert b"".join(from_base64(iter([twice]))) == noise
    assert b"".join(from_base64(iter([b"id, age, sex;\n" * 50]))) == b"id, age, sex;\n" * 50


def test_quoted_printable_is_not_cut_inside_a_mark() -> None:
    text = b"=C3=A9" * 40_000
    assert (
        b"".join(from_quoted(text[i : i + 1000] for i in range(0, len(text), 1000))) == b"\xc3\xa9" * 40_000
    )
