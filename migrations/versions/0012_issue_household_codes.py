"""Issue household codes beside those of posters, and let a round say which it accepts."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

HOUSEHOLD_COLUMNS = ("token_digest", "digits_digest", "household_key", "batch_id")


def upgrade() -> None:
    op.create_table(
        "slip_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("is_reprint", sa.Boolean(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_slip_batch_round_id_round"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_slip_batch_community_id_community"),
        sa.ForeignKeyConstraint(["issued_by_id"], ["account.id"], name="fk_slip_batch_issued_by_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_slip_batch"),
    )
    op.create_index("ix_slip_batch_round_id", "slip_batch", ["round_id"])
    op.create_index("ix_slip_batch_community_id", "slip_batch", ["community_id"])

    with op.batch_alter_table("code") as code:
        code.alter_column("token", existing_type=sa.String(), nullable=True)
        code.add_column(sa.Column("token_digest", sa.String(), nullable=True))
        code.add_column(sa.Column("digits_digest", sa.String(), nullable=True))
        code.add_column(sa.Column("household_key", sa.String(), nullable=True))
        code.add_column(sa.Column("batch_id", sa.Integer(), nullable=True))
        code.add_column(sa.Column("building", sa.String(), nullable=True))
        code.add_column(sa.Column("revoked_because", sa.String(), nullable=True))
        code.create_unique_constraint("uq_code_token_digest", ["token_digest"])
        code.create_unique_constraint("uq_code_digits_digest", ["digits_digest"])
        code.create_foreign_key("fk_code_batch_id_slip_batch", "slip_batch", ["batch_id"], ["id"])
        code.drop_constraint("ck_code_kind", type_="check")
        code.create_check_constraint("ck_code_kind", "kind IN ('poster', 'household')")
        code.create_check_constraint("ck_code_token", "(kind = 'poster') = (token IS NOT NULL)")
        for name, column in (("batch", "batch_id"), *((column, column) for column in HOUSEHOLD_COLUMNS[:3])):
            code.create_check_constraint(f"ck_code_{name}", f"(kind = 'household') = ({column} IS NOT NULL)")
        code.create_check_constraint("ck_code_revoked", "revoked_because IS NULL OR revoked_at IS NOT NULL")
    op.create_index("ix_code_household_key", "code", ["household_key"])
    op.create_index("ix_code_batch_id", "code", ["batch_id"])

    # Every round so far was asked through posters.
    with op.batch_alter_table("round") as survey_round:
        survey_round.add_column(sa.Column("accepts_posters", sa.Boolean(), server_default=sa.true(), nullable=False))
        survey_round.add_column(
            sa.Column("accepts_households", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        survey_round.create_check_constraint("ck_round_accepts", "accepts_posters OR accepts_households")
    with op.batch_alter_table("round") as survey_round:
        survey_round.alter_column("accepts_posters", existing_type=sa.Boolean(), server_default=None)
        survey_round.alter_column("accepts_households", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    _refuse_if_any("slip_batch", "household slips were issued")
    _refuse_if_any("code WHERE building IS NOT NULL", "posters are noted with their buildings")
    _refuse_if_any("code WHERE revoked_because IS NOT NULL", "codes were revoked with a reason")
    _refuse_if_any("round WHERE accepts_households OR NOT accepts_posters", "a round accepts household slips")
    with op.batch_alter_table("round") as survey_round:
        survey_round.drop_constraint("ck_round_accepts", type_="check")
        survey_round.drop_column("accepts_households")
        survey_round.drop_column("accepts_posters")

    op.drop_index("ix_code_batch_id", "code")
    op.drop_index("ix_code_household_key", "code")
    with op.batch_alter_table("code") as code:
        for name in ("revoked", "batch", *HOUSEHOLD_COLUMNS[:3], "token", "kind"):
            code.drop_constraint(f"ck_code_{name}", type_="check")
        code.drop_constraint("fk_code_batch_id_slip_batch", type_="foreignkey")
        code.drop_constraint("uq_code_digits_digest", type_="unique")
        code.drop_constraint("uq_code_token_digest", type_="unique")
        for column in ("revoked_because", "building", *reversed(HOUSEHOLD_COLUMNS)):
            code.drop_column(column)
        code.alter_column("token", existing_type=sa.String(), nullable=False)
        code.create_check_constraint("ck_code_kind", "kind IN ('poster')")
    op.drop_table("slip_batch")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
