"""Create accounts and the mark of a demonstration."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("district_id", sa.Integer(), nullable=True),
        sa.Column("session_identity", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(role = 'district') = (district_id IS NOT NULL)", name="ck_account_scope"),
        sa.CheckConstraint("role IN ('city', 'district', 'evaluator')", name="ck_account_role"),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name="fk_account_district_id_district"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("session_identity", name="uq_account_session_identity"),
        sa.UniqueConstraint("username", name="uq_account_username"),
    )

    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_installation_single"),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def downgrade() -> None:
    op.drop_table("installation")
    op.drop_table("account")
