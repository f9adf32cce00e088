"""Add to the evidence how many more answers would settle it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

TABLE = "standing_evidence"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("satisfaction_needed_responses", sa.Integer(), nullable=True))
    op.add_column(TABLE, sa.Column("satisfaction_needed_assurance", sa.Double(), nullable=True))


def downgrade() -> None:
    _refuse_if_any(
        f"{TABLE} WHERE satisfaction_needed_responses IS NOT NULL OR satisfaction_needed_assurance IS NOT NULL",
        "the evidence says how many more answers would settle it",
    )
    op.drop_column(TABLE, "satisfaction_needed_assurance")
    op.drop_column(TABLE, "satisfaction_needed_responses")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
