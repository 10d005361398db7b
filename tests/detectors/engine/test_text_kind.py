from __future__ import annotations

import base64

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
