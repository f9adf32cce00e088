"""Keep what files of the 12345 hotline say of its cases, the imports that brought them, aliases and matches."""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"

STATUSES = "'sent', 'refused', 'asked', 'compared', 'confirmed', 'imported'"
MATCHES = "'suggested', 'confirmed', 'rejected'"
FILE_STEPS = "'file', 'limit', 'close', 'retract'"


def upgrade() -> None:
    _create_imports()
    _create_cases()
    _create_changes()
    _create_aliases()
    _create_matches()


def downgrade() -> None:
    _refuse_if_any(f"complaint_event WHERE action IN ({FILE_STEPS})", "files of the hotline moved cases")
    _refuse_if_any("complaint_event WHERE action = 'submit' AND actor = 'bureau'", "files of the hotline brought cases")
    _refuse_if_any("hotline_import WHERE imported_at IS NOT NULL", "files of the hotline were imported")
    _refuse_if_any("community_alias", "communities have names at the hotline")
    for table in ("hotline_match", "community_alias", "hotline_change", "hotline_case", "hotline_import"):
        op.drop_table(table)


def _create_imports() -> None:
    op.create_table(
        "hotline_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("findings", sa.String(), nullable=True),
        sa.Column("comparison_sha256", sa.String(), nullable=True),
        sa.Column("credentials", sa.String(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_by_id", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_hotline_import"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_hotline_import_account_id_account"),
        sa.ForeignKeyConstraint(
            ["taken_back_by_id"], ["account.id"], name="fk_hotline_import_taken_back_by_id_account"
        ),
        sa.UniqueConstraint("job_id", name="uq_hotline_import_job_id"),
        sa.CheckConstraint(f"status IN ({STATUSES})", name="ck_hotline_import_status"),
    )


def _create_cases() -> None:
    times = ("dispatched_at", "signed_at", "limit_at", "extended_until", "returned_at")
    later_times = ("answered_at", "ended_at", "redone_at")
    op.create_table(
        "hotline_case",
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("external_number", sa.String(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("undertaker", sa.String(), nullable=False),
        sa.Column("is_confidential", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("category_written", sa.String(), nullable=False),
        sa.Column("community_written", sa.String(), nullable=False),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in (*times, *later_times)),
        sa.Column("call_back", sa.String(), nullable=False),
        sa.Column("telephone_digest", sa.String(), nullable=True),
        sa.Column("row_sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_hotline_case"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_hotline_case_complaint_id_complaint"),
        sa.ForeignKeyConstraint(["import_id"], ["hotline_import.id"], name="fk_hotline_case_import_id_hotline_import"),
        sa.UniqueConstraint("external_number", name="uq_hotline_case_external_number"),
    )
    op.create_index("ix_hotline_case_import_id", "hotline_case", ["import_id"])


def _create_changes() -> None:
    op.create_table(
        "hotline_change",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.String(), nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("has_steps", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "complaint_id", name="pk_hotline_change"),
        sa.ForeignKeyConstraint(
            ["import_id"], ["hotline_import.id"], name="fk_hotline_change_import_id_hotline_import"
        ),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_hotline_change_complaint_id_complaint"),
    )
    op.create_index("ix_hotline_change_complaint_id", "hotline_change", ["complaint_id"])


def _create_aliases() -> None:
    op.create_table(
        "community_alias",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_community_alias"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_community_alias_community_id_community"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_community_alias_account_id_account"),
        sa.UniqueConstraint("alias", "community_id", name="uq_community_alias_alias_community_id"),
    )


def _create_matches() -> None:
    op.create_table(
        "hotline_match",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False, server_default="suggested"),
        sa.Column("is_merged", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("suggested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_hotline_match"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_hotline_match_complaint_id_complaint"),
        sa.ForeignKeyConstraint(["other_id"], ["complaint.id"], name="fk_hotline_match_other_id_complaint"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_hotline_match_account_id_account"),
        sa.UniqueConstraint("complaint_id", "other_id", name="uq_hotline_match_complaint_id_other_id"),
        sa.CheckConstraint(f"status IN ({MATCHES})", name="ck_hotline_match_status"),
    )
    op.create_index("ix_hotline_match_other_id", "hotline_match", ["other_id"])


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
