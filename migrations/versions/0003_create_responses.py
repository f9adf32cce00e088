"""Create codes and responses."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('poster')", name="ck_code_kind"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_code_community_id_community"),
        sa.PrimaryKeyConstraint("id", name="pk_code"),
        sa.UniqueConstraint("token", name="uq_code_token"),
    )
    op.create_index("ix_code_community_id", "code", ["community_id"])

    op.create_table(
        "response",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("questionnaire_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("tenure", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.CheckConstraint("mode IN ('web')", name="ck_response_mode"),
        sa.CheckConstraint("tenure IN (1, 2, 3)", name="ck_response_tenure"),
        sa.ForeignKeyConstraint(["code_id"], ["code.id"], name="fk_response_code_id_code"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_response_community_id_community"),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"], ["questionnaire.id"], name="fk_response_questionnaire_id_questionnaire"
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_response_round_id_round"),
        sa.PrimaryKeyConstraint("id", name="pk_response"),
        sa.UniqueConstraint("receipt", name="uq_response_receipt"),
        sa.UniqueConstraint("submission_key", name="uq_response_submission_key"),
    )
    op.create_index("ix_response_round_id_community_id", "response", ["round_id", "community_id"])


def downgrade() -> None:
    _refuse_if_any("response", "residents have answered")
    _refuse_if_any("code", "codes of posters were issued")
    op.drop_table("response")
    op.drop_table("code")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
