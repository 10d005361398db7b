"""The inbox's index holds what it is filtered by, so that a filter reads no row that it leaves out."""

from alembic import op

revision = "0007"
down_revision = "0006"
_COLUMNS = (
    "state", "severity", "updated", "id",
    "zone", "tier", "disposition", "outcome", "determination", "assignee",
)  # fmt: skip


def upgrade() -> None:
    """From 0006."""
    op.drop_index("ix_alerts_inbox", "alerts")
    op.create_index("ix_alerts_inbox", "alerts", _COLUMNS)
