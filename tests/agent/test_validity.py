"""How a statement stands: by its signatures and its days, whatever is written beside it."""

from __future__ import annotations

import pytest

from agent.statements import BadStatement, Disposal, Envelope, seal
from agent.validity import Standing, days_left, is_overdue, validity

NOW = 1_790_000_000.0
DAY = 86400.0


@pytest.mark.parametrize(
    ("days", "standing"),
    [(-1, Standing.NOT_YET), (0, Standing.IN_FORCE), (365, Standing.IN_FORCE), (366, Standing.EXPIRED)],
)
def test_an_agreement_holds_between_its_days(agreed, days, standing):
    found = validity(agreed(NOW, roots=("/x",)), agreed.approvers, NOW + days * DAY, accepted=True)
    assert found.standing is standing and len(found.approved_by) == 2


def test_a_mark_makes_up_for_no_signature(agreed):
    draft = seal(agreed.terms(NOW, roots=("/x",)))
    assert validity(draft, agreed.approvers, NOW, accepted=False).standing is Standing.PENDING
    assert validity(draft, agreed.approvers, NOW, accepted=True).standing is Standing.LAPSED


def test_a_request_is_over_when_its_time_is(agreed):
    asked = Disposal("req-0001", "h", "e", "0" * 64, 1, "0" * 64, "/x", "done", "a", int(NOW), int(NOW + DAY))
    whole = agreed.both(seal(asked))
    assert validity(whole, agreed.approvers, NOW, accepted=True).standing is Standing.IN_FORCE
    assert validity(whole, agreed.approvers, NOW + 2 * DAY, accepted=True).standing is Standing.EXPIRED
    revoked = validity(whole, agreed.approvers, NOW, accepted=True, revoked=True)
    assert revoked.standing is Standing.REVOKED


def test_a_review_is_overdue_only_while_it_is_in_force(agreed):
    terms = agreed.terms(NOW, roots=("/x",))
    assert is_overdue(terms, Standing.IN_FORCE, NOW + 201 * DAY)
    assert not is_overdue(terms, Standing.IN_FORCE, NOW + 200 * DAY)
    assert not is_overdue(terms, Standing.EXPIRED, NOW + 999 * DAY)


def test_a_payload_that_is_none_is_refused(agreed):
    with pytest.raises(BadStatement):
        validity(Envelope("agreement", b"{}"), agreed.approvers, NOW, accepted=False)


def test_an_exception_ends_after_its_last_day(agreed):
    signed = agreed.both(agreed.exception(NOW, days=20, content=("ab" * 32,)))
    for days, stands, left in (
        (0, Standing.IN_FORCE, 20),
        (20, Standing.IN_FORCE, 0),
        (21, Standing.EXPIRED, -1),
    ):
        now = NOW + days * 86400
        assert validity(signed, agreed.approvers, now, accepted=True).standing is stands
        assert days_left(signed.statement(), now) == left
