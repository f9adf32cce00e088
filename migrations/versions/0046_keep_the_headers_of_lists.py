"""Keep by source what the lists of communities write above their columns."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.create_table(
        "column_header",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("written", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "field", name="pk_column_header"),
        sa.UniqueConstraint("source", "written", name="uq_column_header_written"),
    )


def downgrade() -> None:
    op.drop_table("column_header")
