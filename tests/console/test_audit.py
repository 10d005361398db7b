"""The chain: it holds as it is written, and shows whatever is changed, removed or cut off."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from console import audit


@pytest.fixture
def written(rig):
    with rig.database.transaction() as db:
        for number in range(5):
            audit.append(db, rig.now, "ann", "looked", f"alert:{number}", number=number)
    return rig


def verified(rig):
    with rig.database.transaction() as db:
        return audit.verify(db)


def test_a_chain_as_written_holds(written):
    assert verified(written) == (5, [])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE sequence = 3", audit.Fault(3, "changed")),
        ("UPDATE audit SET detail = '{}' WHERE sequence = 1", audit.Fault(1, "changed")),
        ("UPDATE audit SET at = at + 1 WHERE sequence = 5", audit.Fault(5, "changed")),
        ("DELETE FROM audit WHERE sequence = 2", audit.Fault(2, "removed")),
        ("DELETE FROM audit WHERE sequence = 5", audit.Fault(5, "cut_off")),
        ("DELETE FROM audit", audit.Fault(1, "cut_off")),
    ],
)
def test_what_was_done_to_it_shows(written, change, fault):
    with written.database.transaction() as db:
        db.execute(text(change))
    assert fault in verified(written)[1]


def test_an_entry_that_was_made_anew_with_its_digest_shows_at_the_next(written):
    with written.database.transaction() as db:
        entry = list(audit.walk(db))[2]
        entry.actor = "bob"
        db.execute(
            text("UPDATE audit SET actor = 'bob', digest = :digest WHERE sequence = 3"),
            {"digest": audit.digest_of(entry)},
        )
    assert verified(written)[1] == [audit.Fault(4, "changed")]


def test_it_cannot_fork_when_many_write_at_once(rig):
    def write(number):
        with rig.database.transaction() as db:
            audit.append(db, rig.now, f"p{number}", "looked")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert verified(rig) == (40, [])


def test_what_is_rolled_back_leaves_no_entry(rig):
    with pytest.raises(ZeroDivisionError), rig.database.transaction() as db:
        audit.append(db, rig.now, "ann", "looked")
        raise ZeroDivisionError
    assert verified(rig) == (0, [])
