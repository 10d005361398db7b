"""The database: made without any set-up, brought up to date, and never half.

Steps: console.migrations.versions.0001_first, console.migrations.versions.0002_search,
console.migrations.versions.0003_provider,
console.migrations.versions.0004_papers, console.migrations.versions.0005_bundle,
console.migrations.versions.0006_token_roles, console.migrations.versions.0007_inbox_covered,
console.migrations.versions.0008_trends_covered, console.migrations.versions.0009_tuning.
"""

from __future__ import annotations

import stat

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from console.database import Database, DatabaseTrouble
from console.schema import Base


def test_the_migrations_lead_to_the_tables_that_the_code_knows(tmp_path):
    database = Database.open(f"sqlite:///{tmp_path}/c.sqlite")
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_opening_again_changes_nothing(tmp_path):
    url = f"sqlite:///{tmp_path}/c.sqlite"
    first = Database.open(url)
    with first.transaction() as db:
        db.execute(text("UPDATE audit_head SET sequence = 7"))
    with Database.open(url).transaction() as db:
        assert db.execute(text("SELECT sequence FROM audit_head")).scalar_one() == 7


def test_a_migration_that_fails_leaves_nothing(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/c.sqlite")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE updates (x)")
    with pytest.raises(Exception, match="updates"):
        database.migrate()
    with database.engine.connect() as connection:
        tables = (
            connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        )
    assert tables == ["updates"]


def test_the_file_is_closed_to_others(tmp_path):
    Database.open(f"sqlite:///{tmp_path}/new/c.sqlite")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "new/c.sqlite").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere/c.sqlite", "nothing://x", "postgresql+psycopg://127.0.0.1:1/x"]
)
def test_a_database_that_cannot_be_opened_is_one_line(url):
    with pytest.raises(DatabaseTrouble) as error:
        Database.open(url)
    assert "\n" not in str(error.value)
