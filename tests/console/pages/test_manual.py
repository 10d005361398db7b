"""The documentation page needs nothing from outside and leaves nothing out."""

from __future__ import annotations

import re

from console.pages.manual import operations


def test_every_address_of_the_document_is_on_the_page(rig):
    document = rig.browser().get("/api/openapi.json").json()
    text = rig.browser().get("/api/docs").text
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in text
    assert len(list(operations(document))) == sum(map(len, document["paths"].values()))
    assert not re.search(r'(src|href)="(?!/|#)', text)


def test_bodies_and_signatures_are_told(rig):
    found = {(o.method, o.path): o for o in operations(rig.app.openapi())}
    assert found["POST", "/api/v1/alerts"].signed and found["POST", "/api/v1/alerts"].body[0][0] == "records"
    fields = {name: kind for name, kind, _ in found["POST", "/api/v1/decisions"].body}
    assert "false_positive" in fields["determination"]
