"""Create questionnaires, rule files and rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "questionnaire",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_questionnaire"),
        sa.UniqueConstraint("key", "version", name="uq_questionnaire_key_version"),
        sa.UniqueConstraint("sha256", name="uq_questionnaire_sha256"),
    )

    op.create_table(
        "rule_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rule_file"),
        sa.UniqueConstraint("name", name="uq_rule_file_name"),
        sa.UniqueConstraint("sha256", name="uq_rule_file_sha256"),
    )

    op.create_table(
        "round",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("english_name", sa.String(), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("questionnaire_id", sa.Integer(), nullable=False),
        sa.Column("rule_file_id", sa.Integer(), nullable=False),
        sa.Column("evaluator", sa.String(), nullable=True),
        sa.Column("evaluator_english_name", sa.String(), nullable=True),
        sa.Column("responses_kept_until", sa.Date(), nullable=True),
        sa.CheckConstraint("opens_at < closes_at", name="ck_round_order"),
        sa.ForeignKeyConstraint(
            ["questionnaire_id"], ["questionnaire.id"], name="fk_round_questionnaire_id_questionnaire"
        ),
        sa.ForeignKeyConstraint(["rule_file_id"], ["rule_file.id"], name="fk_round_rule_file_id_rule_file"),
        sa.PrimaryKeyConstraint("id", name="pk_round"),
        sa.UniqueConstraint("name", name="uq_round_name"),
    )


def downgrade() -> None:
    _refuse_if_any("round", "rounds were created")
    _refuse_if_any("rule_file", "rule files were added")
    _refuse_if_any("questionnaire", "questionnaires were published")
    op.drop_table("round")
    op.drop_table("rule_file")
    op.drop_table("questionnaire")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
