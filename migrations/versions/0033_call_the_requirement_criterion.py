"""Call requirement 10 the criterion, as the rules and the pages do: it is one of eleven requirements."""

from alembic import op

revision = "0033"
down_revision = "0032"

_COLUMNS = {
    "standing": ("status", "route"),
    "standing_evidence": ("lower", "upper", "evidence", "evidence_reason"),
}


def upgrade() -> None:
    _rename("requirement", "criterion")


def downgrade() -> None:
    _rename("criterion", "requirement")


def _rename(before: str, after: str) -> None:
    # Indexes and checks follow on both engines; triggers refuse changes of rows, not of names.
    for table, columns in _COLUMNS.items():
        for column in columns:
            op.execute(f"ALTER TABLE {table} RENAME COLUMN {before}_{column} TO {after}_{column}")
