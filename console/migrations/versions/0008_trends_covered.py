"""The index of when alerts were first seen holds what trends are counted by, so that they read no rows."""

from alembic import op

revision = "0008"
down_revision = "0007"
_COLUMNS = ("first_seen", "determination", "zone", "tier", "disposition", "detectors")


def upgrade() -> None:
    """From 0007."""
    op.drop_index("ix_alerts_first_seen", "alerts")
    op.create_index("ix_alerts_first_seen", "alerts", _COLUMNS)
