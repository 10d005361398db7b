"""The same over PostgreSQL, started by the test."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from made_up_agents import body_of
from postgresql_server import binaries, postgresql
from sqlalchemy import func, select, text

from agent.paper_bundle import open_bundle
from agent.statements import seal
from console import audit, bundle, choice, desk, trends
from console.database import Database
from console.roles import Role
from console.schema import Alert, Base, Update

SEARCH = ("ix_alerts_path_part", "ix_alerts_hostname_part", "ix_alerts_id_start")
pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(
        binaries() is None and not os.environ.get("REQUIRE_ALL_TESTS"), reason="needs the package postgresql"
    ),
]


@pytest.fixture(scope="module")
def url():
    with postgresql({"fsync": "off", "shared_buffers": "32MB"}) as address:
        yield address


@pytest.fixture
def on_postgresql(rig, url):
    """The rig with another database, empty."""
    database = Database(url)
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.migrate()
    rig.database.close()
    rig.database = database
    rig.app.state.house = replace(rig.app.state.house, database=database)
    return rig


def test_the_migrations_lead_to_the_tables_that_the_code_knows(on_postgresql):
    ours = {"include_object": lambda _, name, kind, *rest: not (kind == "index" and name in SEARCH)}
    with on_postgresql.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=ours), Base.metadata) == []


def test_a_search_uses_the_indexes_that_are_there_for_it(on_postgresql):
    with on_postgresql.database.transaction() as db:
        db.execute(text("SET LOCAL enable_seqscan = off"))
        wanted = select(Alert.id).where(*choice.conditions(choice.Choice(state="all", q="panel/x"), 0.0))
        plain = wanted.compile(db.get_bind(), compile_kwargs={"literal_binds": True})
        raw = db.connection().connection.driver_connection
        plan = str(raw.execute("EXPLAIN " + str(plain).replace("%%", "%")).fetchall())
    assert all(name in plan for name in SEARCH), plan


def test_two_consoles_that_start_at_once_migrate_once(rig, url):
    def opened(_):
        database = Database.open(url)
        database.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(opened, range(4)))


def test_the_whole_way(on_postgresql):
    rig = on_postgresql
    agent = rig.agent()
    names = ["nul\x00.csv", "\udcff.csv", "<b>", "x" * 4000]
    sent = [agent.alert(n, name=name, path="/srv/" + name) for n, name in enumerate(names)]
    assert rig.send(agent, *sent, *(agent.alert(n) for n in range(9, 60)))["accepted"] == 55
    assert rig.send(agent, agent.alert(9), agent.alert(9, 2))["known"] == 1
    assert rig.send(agent, agent.heartbeat(rig.now), to="/api/v1/heartbeats")["accepted"] == 1
    browser = rig.signed_in("all", *Role)
    for path in (
        "/alerts?q=%00%25",
        "/alerts?state=all",
        "/alerts/agent-1-0",
        "/trends",
        "/custody",
        "/agents",
        "/audit",
        "/people",
    ):
        assert browser.get(path).status_code == 200, path
    form = {"csrf": browser.csrf, "alert": ["agent-1-1", "agent-1-2"], "determination": "false_positive"}
    assert browser.post("/alerts/decide", data=form).status_code == 303
    with rig.database.transaction() as db:
        found = choice.page(db, choice.Choice(), rig.now, 20)
        assert (found.total, len(found.alerts)) == (53, 20)
        assert sum(b.total for b in trends.trends(db, rig.everything, 365, rig.now).zones) == 55
        assert desk.related(db, desk.look(db, rig.everything, "agent-1-10", rig.now))
        assert audit.verify(db)[1] == []


def test_agents_that_send_at_once_lose_and_double_nothing(on_postgresql):
    rig = on_postgresql
    agents = [rig.agent(f"agent-{n}") for n in range(4)]

    def send(number):
        agent = agents[number % 4]
        records = [agent.alert(n) for n in range(number // 4 * 5, number // 4 * 5 + 10)]
        body = body_of(records)
        headers = agent.headers("/api/v1/alerts", body, rig.now)
        answer = rig.browser().post("/api/v1/alerts", content=body, headers=headers)
        return answer.status_code, answer.json()["accepted"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(40)))
    assert {status for status, _ in answers} == {200}
    with rig.database.transaction() as db:
        stored = db.execute(select(func.count()).select_from(Alert)).scalar_one()
        assert stored == db.execute(select(func.count()).select_from(Update)).scalar_one() == 4 * 55
    assert sum(accepted for _, accepted in answers) == 4 * 55


def test_the_chain_cannot_fork(on_postgresql):
    def write(number):
        with on_postgresql.database.transaction() as db:
            audit.append(db, on_postgresql.now, f"p{number}", "looked")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(60)))
    with on_postgresql.database.transaction() as db:
        assert audit.verify(db) == (60, [])


def test_papers_that_come_while_many_ask_for_them_hold_nobody_up(on_postgresql, agreed):
    """Whoever asks holds one row, whoever hands in holds others: in one order, or they wait for ever."""
    rig = on_postgresql
    rig.app.state.house = replace(rig.app.state.house, approvers=agreed.approvers)
    agents = [rig.agent(f"agent-{n}") for n in range(4)]
    terms = [replace(agreed.terms(rig.now, roots=("/x",)), agreement_id=f"DAA-{n:04d}") for n in range(12)]

    def ask(number):
        agent, target = agents[number % 4], "/api/v1/bundle?after=0"
        answer = rig.browser().get(target, headers=agent.headers(target, b"", rig.now, method="GET"))
        return open_bundle(answer.content, bundle.public_key(rig.rules))

    def hand_in(number):
        rig.hand_in(agreed.both(seal(terms[number])))

    with ThreadPoolExecutor(6) as pool:
        handed, asked = pool.map(hand_in, range(12)), pool.map(ask, range(24))
        list(handed)
        found = sorted(list(asked), key=lambda b: b.serial)
    assert [len(b.untrusted_papers) for b in found] == sorted(len(b.untrusted_papers) for b in found)
    assert len(ask(0).untrusted_papers) == 12
