"""Add the second factor of accounts, their recovery codes, and the time an account was disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("account", sa.Column("totp_secret", sa.String(), nullable=True))
    op.add_column("account", sa.Column("totp_last_step", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recovery_code_account_id_account"),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])


def downgrade() -> None:
    op.drop_table("recovery_code")
    for column in ("disabled_at", "totp_last_step", "totp_secret"):
        op.drop_column("account", column)
