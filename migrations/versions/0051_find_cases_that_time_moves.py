"""Note when time alone takes the next step of a case, and index what recurring work looks for."""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"

OPEN = "'submitted', 'accepted', 'dispatched', 'in_progress', 'awaiting_resident', 'responded', 'reopened', 'stage2'"
INDEXES = (
    ("ix_complaint_next_step_at", "complaint", ["next_step_at"], "next_step_at IS NOT NULL"),
    ("ix_complaint_words_status_since", "complaint", ["status_since"], "words_erased_at IS NULL"),
    ("ix_attachment_unsent", "attachment", ["kind", "added_at"], "complaint_id IS NULL AND response_id IS NULL"),
)


def upgrade() -> None:
    with op.batch_alter_table("complaint") as batch:
        batch.add_column(sa.Column("next_step_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("next_step_basis", sa.String(), nullable=True))
    # Of no calendar: the next run computes it anew.
    op.execute(
        "UPDATE complaint SET next_step_at = submitted_at, next_step_basis = '' "  # noqa: S608 (our own names)
        f"WHERE status IN ({OPEN})"
    )
    with op.batch_alter_table("complaint") as batch:
        batch.create_check_constraint("ck_complaint_next_step", "(next_step_at IS NULL) = (next_step_basis IS NULL)")
    for name, table, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _columns, _condition in INDEXES:
        op.drop_index(name, table)
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint("ck_complaint_next_step", type_="check")
        batch.drop_column("next_step_basis")
        batch.drop_column("next_step_at")
