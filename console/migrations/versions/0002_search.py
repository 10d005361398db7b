"""Search of parts of paths by trigrams, where PostgreSQL has them; elsewhere every row is looked at.

`pg_trgm` comes with PostgreSQL, and the owner of a database may switch it on (it is a trusted extension).
"""

from alembic import op

revision = "0002"
down_revision = "0001"
_INDEXES = (
    "CREATE INDEX ix_alerts_path_part ON alerts USING gin (lower(path) gin_trgm_ops)",
    "CREATE INDEX ix_alerts_hostname_part ON alerts USING gin (lower(hostname) gin_trgm_ops)",
    "CREATE INDEX ix_alerts_id_start ON alerts (id varchar_pattern_ops)",
)


def upgrade() -> None:
    """From 0001."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    found = connection.exec_driver_sql(
        "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
    ).scalar()
    if found:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        for index in _INDEXES:
            op.execute(index)
