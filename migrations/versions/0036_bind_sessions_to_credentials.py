"""Bind sessions to the credentials of accounts, note what owners have to be told, and keep requests of resets."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

ACCOUNT = sa.table("account", sa.column("notices_read_to", sa.Integer()))
AUDIT_EVENT = sa.table("audit_event", sa.column("position", sa.Integer()))


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("credential_version", sa.String(), server_default="", nullable=False))
        account.add_column(sa.Column("failed_sign_ins", sa.Integer(), server_default="0", nullable=False))
        account.add_column(sa.Column("last_failed_sign_in_at", sa.DateTime(timezone=True), nullable=True))
        account.add_column(sa.Column("notices_read_to", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("account_session") as account_session:
        # Which credentials a session began with is not known any more: it opens nothing, and its owner signs in again.
        account_session.add_column(sa.Column("credentials", sa.String(), server_default="", nullable=False))
    op.create_table(
        "reset_request",
        sa.Column("account_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_credentials", sa.String(), nullable=False),
        sa.Column("requester_credentials", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_reset_request_account_id_account"),
        sa.ForeignKeyConstraint(["requested_by_id"], ["account.id"], name="fk_reset_request_requested_by_id_account"),
        sa.PrimaryKeyConstraint("account_id", name="pk_reset_request"),
    )
    op.create_index("ix_reset_request_requested_by_id", "reset_request", ["requested_by_id"])
    # Owners are told of what happens from now on, not of all that ever did.
    last = sa.select(sa.func.coalesce(sa.func.max(AUDIT_EVENT.c.position), 0)).scalar_subquery()
    op.execute(ACCOUNT.update().values(notices_read_to=last))


def downgrade() -> None:
    _refuse_if_any("account WHERE failed_sign_ins > 0", "owners have yet to be told of refused sign-ins")
    _refuse_if_any("reset_request", "resets of accounts wait for a second person")
    op.drop_table("reset_request")
    with op.batch_alter_table("account_session") as account_session:
        account_session.drop_column("credentials")
    with op.batch_alter_table("account") as account:
        for column in ("notices_read_to", "last_failed_sign_in_at", "failed_sign_ins", "credential_version"):
            account.drop_column(column)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
