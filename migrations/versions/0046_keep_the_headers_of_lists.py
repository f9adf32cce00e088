"""Keep by source what the lists of communities write above their columns."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    op.create_table(
        "column_header",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("written", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "field", name="pk_column_header"),
        sa.UniqueConstraint("source", "written", name="uq_column_header_written"),
    )


def downgrade() -> None:
    _refuse_if_any("column_header", "headers of lists are kept")
    op.drop_table("column_header")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
