"""A personal token may carry fewer roles than its person has."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """From 0005; a token that was there keeps all of its person's roles."""
    op.add_column("api_tokens", sa.Column("roles", sa.String(200), nullable=False, server_default=""))
