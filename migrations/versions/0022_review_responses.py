"""Review responses that signs point at."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "response_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("families", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('held', 'released', 'excluded')", name="ck_response_review_state"),
        sa.CheckConstraint("(state = 'held') = (account_id IS NULL)", name="ck_response_review_account"),
        sa.CheckConstraint("(state = 'held') = (reason IS NULL)", name="ck_response_review_reason"),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name="fk_response_review_response_id_response"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_response_review_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_response_review"),
    )
    op.create_index("ix_response_review_response_id", "response_review", ["response_id"])
    op.create_table(
        "integrity_examination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("examined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("families", sa.String(), nullable=False),
        sa.Column("counts", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_integrity_examination_round_id_round"),
        sa.PrimaryKeyConstraint("id", name="pk_integrity_examination"),
    )
    op.create_index("ix_integrity_examination_round_id", "integrity_examination", ["round_id"])


def downgrade() -> None:
    _refuse_if_any("response_review", "responses were reviewed")
    _refuse_if_any("integrity_examination", "rounds were examined for signs of stuffing")
    op.drop_table("integrity_examination")
    op.drop_table("response_review")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
