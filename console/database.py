"""The database: SQLite without any set-up, PostgreSQL by URL; brought up to date when it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from console import audit
from console.schema import Base

MIGRATIONS = Path(__file__).with_name("migrations")


class DatabaseTrouble(Exception):
    """The database cannot be opened or brought up to date: the administrator must mend it."""


class Database:
    """Hands out transactions."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        options: dict[str, Any] = (
            {} if is_sqlite else {"pool_size": 16, "max_overflow": 32, "pool_pre_ping": True}
        )
        self.engine: Engine = create_engine(parsed, **options)
        if is_sqlite:
            _dress_sqlite(self.engine)

    @classmethod
    def open(cls, url: str) -> Database:
        """At the newest schema; makes an SQLite database with its folder. Raises `DatabaseTrouble`."""
        try:
            file = make_url(url)
            if file.get_backend_name() == "sqlite" and file.database:
                path = Path(file.database)
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.touch(mode=0o600, exist_ok=True)
            database = cls(url)
            database.migrate()
        except (SQLAlchemyError, OSError, ImportError) as error:
            raise DatabaseTrouble(str(error).splitlines()[0]) from error
        return database

    def migrate(self, to: str = "head") -> None:
        """All steps to the schema `to` in one transaction, one console at a time."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7203417)")
            config.attributes["connection"] = connection
            command.upgrade(config, to)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Committed at the end with what the audit is to know, rolled back on any exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session
            audit.settle(session)

    def close(self) -> None:
        self.engine.dispose()


def insert_for(db: Session, table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT in the dialect of this database, which knows ON CONFLICT. It names no values, so that it is
    compiled once, whatever the number of rows."""
    on_sqlite = db.get_bind().dialect.name == "sqlite"
    return (sqlite.insert if on_sqlite else postgresql.insert)(Base.metadata.tables[table.__tablename__])


def insert_new(db: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Insert the rows whose primary keys are not there yet; gives back the keys of those."""
    statement = insert_for(db, table).on_conflict_do_nothing().returning(*inspect(table).primary_key)
    return [tuple(row) for row in db.connection().execute(statement, list(rows))]


def _dress_sqlite(engine: Engine) -> None:
    """Transactions that begin as writers and wait for each other; the driver's own guesses switched off."""

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
