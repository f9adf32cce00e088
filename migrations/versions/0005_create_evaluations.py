"""Create evaluations and standings."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("rule_file_id", sa.Integer(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("cut_off", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("inputs_sha256", sa.String(), nullable=False),
        sa.Column("standings_sha256", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_evaluation_round_id_round"),
        sa.ForeignKeyConstraint(["rule_file_id"], ["rule_file.id"], name="fk_evaluation_rule_file_id_rule_file"),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
        sa.UniqueConstraint(
            "round_id",
            "rule_file_id",
            "inputs_sha256",
            "cut_off",
            "code_version",
            "provisional",
            name="uq_evaluation_identity",
        ),
    )

    op.create_table(
        "standing",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=True),
        sa.Column("satisfied", sa.Integer(), nullable=True),
        sa.Column("households", sa.Integer(), nullable=True),
        sa.Column("satisfaction_rate", sa.Double(), nullable=True),
        sa.Column("satisfaction_index", sa.Double(), nullable=True),
        sa.Column("satisfaction_score", sa.Double(), nullable=True),
        sa.Column("satisfaction_rank", sa.Integer(), nullable=True),
        sa.Column("satisfaction_last_rank", sa.Integer(), nullable=True),
        sa.Column("satisfaction_percentile", sa.Double(), nullable=True),
        sa.Column("satisfaction_status", sa.String(), nullable=False),
        sa.Column("satisfaction_reason", sa.String(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=True),
        sa.Column("exposure_household_years", sa.Double(), nullable=True),
        sa.Column("complaints_per_1000_household_years", sa.Double(), nullable=True),
        sa.Column("complaint_rank", sa.Integer(), nullable=True),
        sa.Column("complaint_last_rank", sa.Integer(), nullable=True),
        sa.Column("complaint_percentile", sa.Double(), nullable=True),
        sa.Column("complaint_status", sa.String(), nullable=False),
        sa.Column("complaint_reason", sa.String(), nullable=False),
        sa.Column("requirement_status", sa.String(), nullable=False),
        sa.Column("requirement_route", sa.String(), nullable=True),
        sa.CheckConstraint(
            "complaint_status IN ('met', 'not_met', 'not_assessed', 'not_applicable')",
            name="ck_standing_complaint_status",
        ),
        sa.CheckConstraint(
            "requirement_status IN ('met', 'not_met', 'not_assessed', 'not_applicable')",
            name="ck_standing_requirement_status",
        ),
        sa.CheckConstraint(
            "satisfaction_status IN ('met', 'not_met', 'not_assessed', 'not_applicable')",
            name="ck_standing_satisfaction_status",
        ),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_standing_community_id_community"),
        sa.ForeignKeyConstraint(["evaluation_id"], ["evaluation.id"], name="fk_standing_evaluation_id_evaluation"),
        sa.PrimaryKeyConstraint("evaluation_id", "community_id", name="pk_standing"),
    )


def downgrade() -> None:
    _refuse_if_any("standing", "standings are stored")
    _refuse_if_any("evaluation", "rounds were evaluated")
    op.drop_table("standing")
    op.drop_table("evaluation")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
