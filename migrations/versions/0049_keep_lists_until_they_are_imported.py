"""Keep lists of communities that are read, compared and imported by background jobs."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"

STATUSES = "'sent', 'refused', 'asked', 'compared', 'confirmed', 'imported'"


def upgrade() -> None:
    op.create_table(
        "community_list",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("headers", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("findings", sa.String(), nullable=True),
        sa.Column("comparison_sha256", sa.String(), nullable=True),
        sa.Column("credentials", sa.String(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.String(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_community_list_status")),
        sa.PrimaryKeyConstraint("account_id", name="pk_community_list"),
        sa.UniqueConstraint("job_id", name="uq_community_list_job_id"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_community_list_account_id_account"),
    )


def downgrade() -> None:
    _refuse_if_any("community_list", "lists of communities are on their way into the register")
    op.drop_table("community_list")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
