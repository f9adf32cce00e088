"""Add the boundary of a district."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column("district", sa.Column("boundary", sa.String(), nullable=True))


def downgrade() -> None:
    _refuse_if_any("district WHERE boundary IS NOT NULL", "boundaries of districts were imported")
    op.drop_column("district", "boundary")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
