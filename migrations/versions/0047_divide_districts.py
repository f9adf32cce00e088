"""Keep the subdistricts and neighbourhoods of districts, and which of them a community lies in."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"

PLACED = {"subdistrict": "district", "neighbourhood": "subdistrict"}


def upgrade() -> None:
    for table, within in PLACED.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), nullable=False),
            sa.Column(f"{within}_id", sa.Integer(), nullable=False),
            sa.Column("name", sa.String(), nullable=False),
            sa.Column("english_name", sa.String(), nullable=True),
            sa.Column("sort_key", sa.String(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
            sa.ForeignKeyConstraint([f"{within}_id"], [f"{within}.id"], name=f"fk_{table}_{within}_id_{within}"),
            sa.UniqueConstraint(f"{within}_id", "name", name=f"uq_{table}_name"),
        )
    with op.batch_alter_table("community") as batch:
        for table in PLACED:
            batch.add_column(sa.Column(f"{table}_id", sa.Integer(), nullable=True))
            batch.create_foreign_key(f"fk_community_{table}_id_{table}", table, [f"{table}_id"], ["id"])
            batch.create_index(f"ix_community_{table}_id", [f"{table}_id"])


def downgrade() -> None:
    _refuse_if_any("subdistrict", "there are subdistricts")
    with op.batch_alter_table("community") as batch:
        for table in PLACED:
            batch.drop_index(f"ix_community_{table}_id")
            batch.drop_constraint(f"fk_community_{table}_id_{table}", type_="foreignkey")
            batch.drop_column(f"{table}_id")
    for table in reversed(PLACED):
        op.drop_table(table)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
