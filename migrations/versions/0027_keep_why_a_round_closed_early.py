"""Keep why a round was closed before its last day."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.add_column("round", sa.Column("closed_early_because", sa.String(), nullable=True))


def downgrade() -> None:
    _refuse_if_any("round WHERE closed_early_because IS NOT NULL", "a round was closed early with a reason")
    with op.batch_alter_table("round") as batch:
        batch.drop_column("closed_early_because")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
