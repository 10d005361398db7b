"""The bundle of papers for the workstations, and which one each has."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """From 0004."""
    bundles = op.create_table(
        "bundles",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("serial", sa.BigInteger, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
        sa.Column("papers", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("fresh_until", sa.Double, nullable=False),
        sa.Column("is_stale", sa.Boolean, nullable=False),
    )
    nothing = {"id": 1, "serial": 0, "made_at": 0.0, "papers": 0, "document": "", "basis": ""}
    op.bulk_insert(bundles, [{**nothing, "fresh_until": 0.0, "is_stale": True}])
    op.add_column("agents", sa.Column("bundle", sa.BigInteger))
    op.add_column("agents", sa.Column("papers_refused", sa.Integer, nullable=False, server_default="0"))
