"""Add the second factor of accounts, their recovery codes, and the time an account was disabled."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("account", sa.Column("totp_secret", sa.String(), nullable=True))
    op.add_column("account", sa.Column("totp_last_step", sa.Integer(), nullable=True))
    op.add_column("account", sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "recovery_code",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_recovery_code_account_id_account"),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_code"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])


def downgrade() -> None:
    _refuse_if_any(
        "account WHERE totp_secret IS NOT NULL OR totp_last_step IS NOT NULL", "accounts have a second factor"
    )
    _refuse_if_any("account WHERE disabled_at IS NOT NULL", "accounts were disabled")
    _refuse_if_any("recovery_code", "accounts have recovery codes")
    op.drop_table("recovery_code")
    for column in ("disabled_at", "totp_last_step", "totp_secret"):
        op.drop_column("account", column)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
