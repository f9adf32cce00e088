"""Add the line in a second language that posters carry, of a district and of a community."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    for table in ("district", "community"):
        op.add_column(table, sa.Column("second_language_line", sa.String(), nullable=True))


def downgrade() -> None:
    _refuse_if_any("district WHERE second_language_line IS NOT NULL", "districts have a line in a second language")
    _refuse_if_any("community WHERE second_language_line IS NOT NULL", "communities have a line in a second language")
    for table in ("community", "district"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("second_language_line")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
