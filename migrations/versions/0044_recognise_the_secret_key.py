"""Keep a check value of the secret key, so that a start with another key is refused."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"


def upgrade() -> None:
    op.create_table(
        "key_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_key_check_single"),
        sa.PrimaryKeyConstraint("id", name="pk_key_check"),
    )


def downgrade() -> None:
    # Found anew by the next start of this version, with the key that is there then.
    op.drop_table("key_check")
