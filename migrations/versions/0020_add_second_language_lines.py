"""Add the line in a second language that posters carry, of a district and of a community."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for table in ("district", "community"):
        op.add_column(table, sa.Column("second_language_line", sa.String(), nullable=True))


def downgrade() -> None:
    for table in ("community", "district"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("second_language_line")
