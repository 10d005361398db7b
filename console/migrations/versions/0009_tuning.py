"""Which tuning of detectors each workstation says that it has."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """From 0008."""
    op.add_column("agents", sa.Column("tuning", sa.String(64), nullable=False, server_default=""))
