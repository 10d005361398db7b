"""People whom an OpenID Connect provider signs in."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """From 0002."""
    op.add_column("people", sa.Column("subject", sa.Text))
    op.create_index("ix_people_subject", "people", ["subject"], unique=True)
    op.create_table(
        "handshakes",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        sa.Column("back", sa.Text, nullable=False),
        sa.Column("made_at", sa.Double, nullable=False),
    )
