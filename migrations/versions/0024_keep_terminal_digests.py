"""Keep for 48 hours, as a keyed digest, from which terminal answers were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.add_column(sa.Column("terminal_digest", sa.String(), nullable=True))
        response.create_check_constraint(
            "ck_response_withdrawn_terminal", "answers IS NOT NULL OR terminal_digest IS NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.drop_constraint("ck_response_withdrawn_terminal", type_="check")
        response.drop_column("terminal_digest")
