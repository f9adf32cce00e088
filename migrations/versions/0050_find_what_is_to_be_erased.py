"""Index what is to be erased and nothing else, and count what was erased until the audit chain records it."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"

HAS_NETWORK = sa.text("address_digest IS NOT NULL OR prefix_digest IS NOT NULL")
HAS_HOUSEHOLD = sa.text("household_key IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "erasure_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fact", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_erasure_count"),
        sa.UniqueConstraint("actor", "action", "subject", "fact", name="uq_erasure_count_actor_action_subject_fact"),
    )
    op.create_index(
        "ix_response_network_submitted_at",
        "response",
        ["submitted_at"],
        sqlite_where=HAS_NETWORK,
        postgresql_where=HAS_NETWORK,
    )
    op.drop_index("ix_response_household_key", "response")
    op.create_index(
        "ix_response_household_key",
        "response",
        ["household_key"],
        sqlite_where=HAS_HOUSEHOLD,
        postgresql_where=HAS_HOUSEHOLD,
    )


def downgrade() -> None:
    _refuse_if_any("erasure_count", "there are erasures that the record of actions does not hold yet")
    op.drop_index("ix_response_household_key", "response")
    op.create_index("ix_response_household_key", "response", ["household_key"])
    op.drop_index("ix_response_network_submitted_at", "response")
    op.drop_table("erasure_count")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
