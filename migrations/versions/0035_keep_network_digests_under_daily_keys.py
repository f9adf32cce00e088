"""Keep digests of an address alone and of its prefix, under keys that are destroyed daily."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

CHECK = "answers IS NOT NULL OR address_digest IS NULL AND prefix_digest IS NULL"


def upgrade() -> None:
    op.create_table(
        "network_key",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_network_key")),
    )
    with op.batch_alter_table("response") as response:
        response.drop_constraint("ck_response_withdrawn_terminal", type_="check")
        # Digests of the last hours stay comparable with each other, and are erased when they were to be.
        response.alter_column("terminal_digest", new_column_name="address_digest")
        response.add_column(sa.Column("prefix_digest", sa.String(), nullable=True))
        response.create_check_constraint("ck_response_withdrawn_network", CHECK)


def downgrade() -> None:
    _refuse_if_any(
        "response WHERE prefix_digest IS NOT NULL",
        "answers of the last 48 hours are noted with digests of their network address",
    )
    _refuse_if_any("network_key", "the key for digests of today's network addresses is stored")
    with op.batch_alter_table("response") as response:
        response.drop_constraint("ck_response_withdrawn_network", type_="check")
        response.drop_column("prefix_digest")
        response.alter_column("address_digest", new_column_name="terminal_digest")
        response.create_check_constraint(
            "ck_response_withdrawn_terminal", "answers IS NOT NULL OR terminal_digest IS NULL"
        )
    op.drop_table("network_key")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
