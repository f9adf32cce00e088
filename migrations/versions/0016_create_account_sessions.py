"""Keep each signed-in browser in a row of its own, so that one can end without the others."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    # Everybody signs in again: what the old cookies hold opens nothing any more.
    with op.batch_alter_table("account") as batch:
        batch.drop_constraint("uq_account_session_identity", type_="unique")
        batch.drop_column("session_identity")
    op.create_table(
        "account_session",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_session_account_id_account"),
        sa.PrimaryKeyConstraint("digest", name="pk_account_session"),
    )
    op.create_index("ix_account_session_account_id", "account_session", ["account_id"])
    op.create_index("ix_account_session_expires_at", "account_session", ["expires_at"])


def downgrade() -> None:
    _refuse_if_any("account_session", "accounts are signed in")
    op.drop_table("account_session")
    op.add_column("account", sa.Column("session_identity", sa.String(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("UPDATE account SET session_identity = lower(hex(randomblob(24)))")
    else:
        op.execute("UPDATE account SET session_identity = gen_random_uuid()::text")
    with op.batch_alter_table("account") as batch:
        batch.alter_column("session_identity", nullable=False)
        batch.create_unique_constraint("uq_account_session_identity", ["session_identity"])


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
