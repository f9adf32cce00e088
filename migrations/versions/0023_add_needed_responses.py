"""Add to the evidence how many more answers would settle it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

TABLE = "standing_evidence"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("satisfaction_needed_responses", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("satisfaction_needed_assurance", sa.Double(), nullable=True))


def downgrade() -> None:
    op.drop_column(TABLE, "satisfaction_needed_assurance")
    op.drop_column(TABLE, "satisfaction_needed_responses")
