"""Run by Alembic: applies the versions over the connection that `console.database` hands in."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
