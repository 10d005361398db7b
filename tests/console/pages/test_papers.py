"""The pages of agreements and requests: from a draft to force, the report, and nothing hostile in them."""

from __future__ import annotations

import csv
import io

from agent.statements import Terms, as_text, seal
from console.roles import Role


def test_the_pages_lead_from_a_draft_to_force(desk, agreed, draft):
    browser = desk.signed_in("ana", Role.ANALYST)
    for part in (draft, agreed.owner.sign(draft), agreed.officer.sign(draft)):
        answer = browser.post("/papers", data={"csrf": browser.csrf, "document": as_text(part) + "\n"})
        assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    page = browser.get(place).text
    assert "in force" in page and "University of Somewhere" in page and "no onward sharing" in page
    document = browser.get(f"{place}/file")
    assert document.json() == agreed.both(draft).to_json()
    assert "attachment" in document.headers["content-disposition"]
    assert "1 in force" in browser.get("/agreements").text
    assert browser.post("/papers", data={"csrf": browser.csrf, "document": "{}"}).status_code == 422


def test_the_report_has_every_detail_and_no_formula(desk, agreed):
    hostile = agreed.terms(desk.now, roots=("/srv/x",), holder='=HYPERLINK("x")', purpose="a\nb")
    desk.hand_in(agreed.both(seal(hostile)))
    browser = desk.signed_in("u", Role.AUDITOR)
    answer = browser.get("/agreements.csv")
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert row["holder"] == '\'=HYPERLINK("x")' and row["standing"] == "in_force"
    assert row["roots"] == "/srv/x" and set(row["approved_by"].split("; ")) == {"A. Owner", "B. Officer"}
    assert set(row) >= {f for f in Terms.__dataclass_fields__ if f not in ("agreement_id", "made_at")}


def test_the_report_to_print_has_what_the_table_has(desk, agreed):
    browser = desk.signed_in("u", Role.AUDITOR)
    assert "No agreement was handed in yet" in browser.get("/agreements/report").text
    desk.hand_in(agreed.both(seal(agreed.terms(desk.now, roots=("/srv/x",), purpose="p" * 300))))
    page = browser.get("/agreements/report").text
    (row,) = csv.DictReader(io.StringIO(browser.get("/agreements.csv").text))
    for key, value in row.items():
        assert value in page or key in ("standing", "review_overdue"), key
    assert "1 in force" in page and "0 overdue" in page and "for u." in page


def test_markup_in_a_paper_is_text(desk, agreed):
    hostile = agreed.terms(
        desk.now, roots=("/srv/<b>",), holder="<script>x</script>\u202e", purpose="\x1b[31m"
    )
    desk.hand_in(agreed.both(seal(hostile)))
    browser = desk.signed_in("a", Role.ANALYST)
    for path in ("/agreements", "/agreements/report", "/papers/agreement/DAA-made-up-1"):
        page = browser.get(path).text
        assert "<script>x" not in page and "\u202e" not in page and "\x1b" not in page
