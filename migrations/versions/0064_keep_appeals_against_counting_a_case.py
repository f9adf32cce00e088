"""Keep what companies say against counting a case in the complaint rate, and what was decided."""

import sqlalchemy as sa
from alembic import op

revision = "0064"
down_revision = "0063"

REASONS = "'same_case', 'not_a_case', 'other_place', 'other_authority', 'private_dispute'"


def upgrade() -> None:
    op.create_table(
        "complaint_appeal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", sa.String(), nullable=True),
        sa.Column("answer", sa.String(), nullable=False, server_default=""),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"reason IN ({REASONS})", name="ck_complaint_appeal_reason"),
        sa.CheckConstraint("decision IN ('upheld', 'dismissed')", name="ck_complaint_appeal_decision"),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL) AND (decision IS NULL) = (decided_by_id IS NULL)",
            name="ck_complaint_appeal_decided",
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_complaint_appeal_complaint_id_complaint"),
        sa.ForeignKeyConstraint(
            ["company_id"], ["property_company.id"], name="fk_complaint_appeal_company_id_property_company"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_complaint_appeal_account_id_account"),
        sa.ForeignKeyConstraint(["decided_by_id"], ["account.id"], name="fk_complaint_appeal_decided_by_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_appeal"),
        sa.UniqueConstraint("complaint_id", name="uq_complaint_appeal_complaint_id"),
    )


def downgrade() -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text("SELECT 1 FROM complaint_appeal LIMIT 1")).first():
        raise RuntimeError(
            "companies appealed against counting cases: the earlier version has no place for that, and nothing was "
            "changed; to go back, restore a backup from before the upgrade"
        )
    op.drop_table("complaint_appeal")
