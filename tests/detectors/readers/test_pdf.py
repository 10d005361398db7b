"""PDF: what stands on pages is read by place; what cannot be read is said; passwords are told apart."""

from __future__ import annotations

import io
import random

import pytest
from binary_writers import as_pdf, pdf

from detectors.engine.table import Protected, ReadLimits, Table, Text, Unreadable
from detectors.readers import pdf as reader

HEADER = ["id", "age", "sex", "grade", "salary"]
TYPE = "application/pdf"


def people(count):
    pick = random.Random(5)
    return [
        [
            str(i),
            str(pick.randrange(17, 65)),
            pick.choice("MF"),
            pick.choice(["AA", "AO"]),
            str(20_000 + 7 * i),
        ]
        for i in range(count)
    ]


def read(data, limits=None):
    tables, text = [], []
    for content in reader.read(io.BytesIO(data), TYPE, limits or ReadLimits()):
        if isinstance(content, Table):
            tables.append((content.header, [list(row) for row in content.rows]))
        elif isinstance(content, Text):
            text += content.lines
        else:
            tables.append(content)
    return tables, text


def page(*lines):
    drawn = b"\n".join(b"1 0 0 1 40 %d Tm (%s) Tj" % (800 - 14 * i, line) for i, line in enumerate(lines))
    return b"BT /F 10 Tf\n" + drawn + b"\nET"


@pytest.mark.parametrize("sideways", [False, True])
def test_a_table_over_several_pages_is_one_table(sideways):
    rows = people(120)
    assert read(as_pdf(HEADER, rows, sideways)) == ([(HEADER, rows)], [])


def test_a_blank_cell_leaves_the_others_in_their_columns():
    rows = people(40)
    rows[7][2] = rows[9][1] = ""
    ((_, found),), _ = read(as_pdf(HEADER, rows))
    assert found == rows


def test_running_text_is_text():
    _, text = read(pdf([page(b"Ms Made Up lives at 4 High Street.", b"Her number is QQ 12 34 56 C.")]))
    assert text == ["Ms Made Up lives at 4 High Street.", "Her number is QQ 12 34 56 C."]


def test_a_page_of_a_picture_is_never_clean():
    drawn = b"q 200 0 0 200 50 50 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \xff EI Q"
    with pytest.raises(Unreadable, match="unsupported"):
        read(pdf([page(b"A cover."), drawn]))


def test_an_empty_page_is_nothing():
    assert read(pdf([b""])) == ([], [])


def test_more_pages_than_may_be_looked_at_stop_at_the_limit():
    with pytest.raises(Unreadable, match="limit_entries"):
        read(as_pdf(HEADER, people(300)), ReadLimits(max_entries=3))


def test_letters_count_as_what_they_unpack_to():
    with pytest.raises(Unreadable, match="limit_expanded"):
        read(as_pdf(HEADER, people(300)), ReadLimits(max_expanded_bytes=20_000))


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\n" + b"\xff" * 500])
def test_what_is_no_document_is_malformed(data):
    with pytest.raises(Unreadable, match="malformed"):
        read(data)


def encrypted(data, user):
    """`data` with the standard security handler's dictionary in its trailer: RC4, 128 bits, R 3.

    Only the dictionary is made, which is all that is looked at before the password.
    """
    dictionary = b"<< /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <%s> /U <%s> >>" % (b"41" * 32, user)
    return data.replace(b"trailer << ", b"trailer << /Encrypt %s /ID [<00> <00>] " % dictionary)


def test_a_document_that_asks_for_a_password_is_protected_as_well_as_its_cipher():
    data = encrypted(pdf([page(b"x")]), b"42" * 32)
    (found,) = reader.read(io.BytesIO(data), TYPE, ReadLimits())
    assert found == Protected("pdf_rc4", strong=False)
    aes = data.replace(
        b"/V 2 /R 3", b"/V 4 /R 4 /CF << /StdCF << /CFM /AESV2 >> >> /StmF /StdCF /StrF /StdCF"
    )
    (found,) = reader.read(io.BytesIO(aes), TYPE, ReadLimits())
    assert found == Protected("pdf_aes", strong=True)
