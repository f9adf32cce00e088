"""Declare help with answering in advance."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0036"


def upgrade() -> None:
    op.create_table(
        "declared_help",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("helper", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("declared_by_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("declared_at <= begins_at AND begins_at < ends_at", name=op.f("ck_declared_help_times")),
        sa.CheckConstraint("expected > 0", name=op.f("ck_declared_help_expected")),
        sa.ForeignKeyConstraint(["code_id"], ["code.id"], name=op.f("fk_declared_help_code_id_code")),
        sa.ForeignKeyConstraint(
            ["declared_by_id"], ["account.id"], name=op.f("fk_declared_help_declared_by_id_account")
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_declared_help_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_declared_help")),
        sa.UniqueConstraint("code_id", name=op.f("uq_declared_help_code_id")),
    )
    op.create_index(op.f("ix_declared_help_round_id"), "declared_help", ["round_id"])


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM declared_help LIMIT 1")).first():
        raise RuntimeError(
            "help with answering is declared: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
    op.drop_index(op.f("ix_declared_help_round_id"), table_name="declared_help")
    op.drop_table("declared_help")
