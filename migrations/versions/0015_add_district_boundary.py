"""Add the boundary of a district."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("district", sa.Column("boundary", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("district", "boundary")
