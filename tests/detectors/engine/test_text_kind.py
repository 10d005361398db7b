from __future__ import annotations

import base64
import hashlib

from detectors.engine import media_types
from detectors.engine.text_kind import is_base64, text_kind

CSV = b"ref,age,sex\n" + b"".join(b"%d,%d,M\n" % (i, 17 + i) for i in range(60))


def kind(data: bytes, name: str = "") -> str:
    return text_kind(data[:65_536], data[-65_536:], len(data), name)


def test_armour_counts_only_where_nothing_else_is_in_sight() -> None:
    body = base64.encodebytes(bytes(range(256)) * 3)
    begin, end = b"-----BEGIN PGP MESSAGE-----\n\n", b"-----END PGP MESSAGE-----\n"
    assert kind(begin + body + end) == media_types.OPENPGP
    assert kind(begin + CSV) == media_types.PLAIN
    assert kind(begin + CSV + end) == media_types.PLAIN


def test_a_signed_message_is_read_as_text() -> None:
    data = (
        b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
        + CSV
        + b"-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n"
    )
    assert kind(data) == media_types.PLAIN


def test_base64_is_told_in_lines_and_in_one() -> None:
    for data in (base64.encodebytes(CSV), base64.b64encode(CSV), base64.urlsafe_b64encode(CSV)):
        assert kind(data) == media_types.BASE64


def test_words_numbers_and_hex_are_no_base64() -> None:
    for text in (
        "word" * 60,
        "12345678" * 40,
        "deadbeef00" * 30,
        "\n".join(["AB123456C"] * 60),
        CSV.decode(),
    ):
        assert not is_base64(text, cut_off=False)


def test_the_name_breaks_ties_between_texts_only() -> None:
    assert kind(CSV, "x.CSV") == media_types.CSV
    assert kind(CSV, "x.tsv") == media_types.TSV
    assert kind(b'{"a": 1}', "x.csv") == media_types.JSON


def test_digits_and_letters_that_stand_for_text_or_a_file_are_decoded() -> None:
    lines = b"\n".join(CSV[i : i + 32].hex().encode() for i in range(0, len(CSV), 32))
    assert kind(CSV.hex().encode()) == kind(lines) == media_types.HEX
    assert kind(base64.b32encode(CSV)) == media_types.BASE32
    assert kind(b"begin 644 a.csv\n" + b"#86)C\n`\nend\n") == media_types.UUENCODE


def test_digests_and_plain_numbers_stand_for_nothing() -> None:
    digests = "".join(hashlib.sha256(bytes([i])).hexdigest() + "\n" for i in range(50))
    assert kind(digests.encode()) == kind(digests.upper().encode()) == media_types.PLAIN
    assert kind(b"3132333435363738\n" * 40) == media_types.PLAIN
    assert kind(b"begin 2024 and end\nof it\n" * 9) == media_types.PLAIN
