"""Keep samples of closed cases, which cases were drawn, and what came of each call."""

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"

FROZEN = ("call_back_sample", "call_back", "call_back_result")


def upgrade() -> None:
    op.create_table(
        "call_back_sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("district_id", sa.Integer(), nullable=True),
        sa.Column("casework_file_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("listed", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("without_telephone", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name="fk_call_back_sample_district_id_district"),
        sa.ForeignKeyConstraint(
            ["casework_file_id"], ["casework_file.id"], name="fk_call_back_sample_casework_file_id_casework_file"
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_call_back_sample_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_call_back_sample"),
    )
    op.create_table(
        "call_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.String(), nullable=False),
        sa.CheckConstraint("recorded IN ('confirmed', 'silent')", name="ck_call_back_recorded"),
        sa.ForeignKeyConstraint(["sample_id"], ["call_back_sample.id"], name="fk_call_back_sample_id_call_back_sample"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_call_back_complaint_id_complaint"),
        sa.PrimaryKeyConstraint("id", name="pk_call_back"),
        sa.UniqueConstraint("sample_id", "number", name="uq_call_back_sample_id_number"),
        sa.UniqueConstraint("complaint_id", "sample_id", name="uq_call_back_complaint_id_sample_id"),
    )
    said = " AND ".join(f"{name} IS NOT NULL" for name in ("contacted", "resolved", "satisfied"))
    unsaid = " AND ".join(f"{name} IS NULL" for name in ("contacted", "resolved", "satisfied"))
    op.create_table(
        "call_back_result",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_back_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("contacted", sa.String(), nullable=True),
        sa.Column("resolved", sa.String(), nullable=True),
        sa.Column("satisfied", sa.String(), nullable=True),
        sa.Column("correction", sa.String(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('reached', 'declined', 'not_reached')", name="ck_call_back_result_outcome"),
        sa.CheckConstraint("contacted IN ('yes', 'no', 'unsaid')", name="ck_call_back_result_contacted"),
        sa.CheckConstraint("resolved IN ('yes', 'partly', 'no', 'unsaid')", name="ck_call_back_result_resolved"),
        sa.CheckConstraint("satisfied IN ('yes', 'no', 'unsaid')", name="ck_call_back_result_satisfied"),
        sa.CheckConstraint(
            "correction IN ('mistyped', 'other_person', 'called_again')", name="ck_call_back_result_correction"
        ),
        sa.CheckConstraint(
            f"CASE outcome WHEN 'reached' THEN {said} ELSE {unsaid} END", name="ck_call_back_result_said"
        ),
        sa.ForeignKeyConstraint(["call_back_id"], ["call_back.id"], name="fk_call_back_result_call_back_id_call_back"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_call_back_result_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_call_back_result"),
        sa.UniqueConstraint("call_back_id", "number", name="uq_call_back_result_call_back_id_number"),
    )
    for table in FROZEN:
        _freeze(table)


def downgrade() -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text("SELECT 1 FROM call_back_sample LIMIT 1")).first():
        raise RuntimeError(
            "cases were drawn for call-backs: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
    for table in reversed(FROZEN):
        op.drop_table(table)


def _freeze(table: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action} BEFORE {action.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: {action} refused'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
