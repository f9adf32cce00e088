"""Create complaints."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "complaint",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('complaint', 'repair', 'enquiry')", name="ck_complaint_kind"),
        sa.CheckConstraint("status IN ('submitted')", name="ck_complaint_status"),
        sa.ForeignKeyConstraint(["code_id"], ["code.id"], name="fk_complaint_code_id_code"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_complaint_community_id_community"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint"),
        sa.UniqueConstraint("reference", name="uq_complaint_reference"),
        sa.UniqueConstraint("submission_key", name="uq_complaint_submission_key"),
    )
    op.create_index("ix_complaint_community_id", "complaint", ["community_id"])
    op.create_index("ix_complaint_submitted_at", "complaint", ["submitted_at"])


def downgrade() -> None:
    _refuse_if_any("complaint", "complaints were filed")
    op.drop_table("complaint")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
