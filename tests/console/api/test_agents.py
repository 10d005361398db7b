"""What agents get to hear (tests of what they send lie beside `enrolment`, `signatures` and `intake`)."""

from __future__ import annotations

from made_up_agents import MadeUpAgent


def test_an_answer_says_which_record_was_refused_and_why(rig):
    agent = rig.agent()
    told = rig.send(agent, agent.alert(1), {**agent.alert(2), "metadata": {}}, agent.heartbeat())
    assert told == {
        "accepted": 1, "known": 0,
        "refused": [{"index": 1, "code": "malformed"}, {"index": 2, "code": "wrong_class"}],
    }  # fmt: skip


def test_enrolment_answers_with_the_agents_id_and_the_key_for_papers(rig):
    from console import bundle, enrolment

    with rig.database.transaction() as db:
        token = enrolment.new_token(db, rig.everything, "", None, rig.now)
    answer = rig.browser().post("/api/v1/enrol", json=MadeUpAgent("agent-7").enrolment(token))
    told = {"agent": "agent-7", "bundle_key": bundle.public_key(rig.rules)}
    assert (answer.status_code, answer.json()) == (201, told)
