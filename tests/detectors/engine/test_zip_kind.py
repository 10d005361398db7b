from __future__ import annotations

import io
import zipfile

from detectors.engine.media_types import XLSX, ZIP
from detectors.engine.zip_kind import ends_in_zip, zip_kind


def package(names: list[str], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        target.comment = comment
        for name in names:
            target.writestr(name, "x" * 100)
    return out.getvalue()


def test_a_workbook_is_known_though_its_parts_come_late() -> None:
    data = package([f"xl/media/image{i}.png" for i in range(600)] + ["xl/workbook.xml"])
    assert zip_kind(data[:1000], data[-65_536:]) == XLSX
    assert zip_kind(data[:1000], b"") == ZIP


def test_only_a_zip_that_closes_the_file_counts_as_its_end() -> None:
    data = package(["a.csv"], comment=b"hello")
    assert ends_in_zip(data)
    assert not ends_in_zip(data + b"x")
    assert not ends_in_zip(package([]))
    assert not ends_in_zip(b"PK\x05\x06")
