"""Reading the audit is itself on record."""

from __future__ import annotations

from console import audit, reading


def test_pages_by_person_and_subject(rig, monkeypatch):
    monkeypatch.setattr(reading, "PAGE", 3)
    with rig.database.transaction() as db:
        for n in range(8):
            audit.append(db, rig.now, f"p{n % 2}", "looked", f"alert:{n}")
    with rig.database.transaction() as db:
        first = reading.entries(db, rig.everything, rig.now, actor="p1")
        second = reading.entries(db, rig.everything, rig.now, actor="p1", before=first.following)
        assert [e.subject for e in (*first.entries, *second.entries)] == [
            "alert:7",
            "alert:5",
            "alert:3",
            "alert:1",
        ]
        assert second.following == 0
        assert len(reading.entries(db, rig.everything, rig.now, subject="alert:4").entries) == 1


def test_the_check_and_the_look_are_entries_too(rig):
    with rig.database.transaction() as db:
        reading.entries(db, rig.everything, rig.now)
    with rig.database.transaction() as db:
        assert reading.verify(db, rig.everything, rig.now) == (1, [])
    assert [entry[1] for entry in rig.audited()] == ["audit_viewed", "audit_verified"]


def test_a_broken_chain_is_told_on_the_page(rig):
    from sqlalchemy import text

    from console.roles import Role

    ora = rig.signed_in("ora", Role.AUDITOR)
    assert "each continues the one before" in ora.post("/audit/verify", data={"csrf": ora.csrf}).text
    with rig.database.transaction() as db:
        db.execute(text("UPDATE audit SET actor = 'x' WHERE sequence = 1"))
    assert "faults" in ora.post("/audit/verify", data={"csrf": ora.csrf}).text
