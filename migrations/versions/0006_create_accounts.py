"""Create accounts and the mark of a demonstration."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("district_id", sa.Integer(), nullable=True),
        sa.Column("session_identity", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(role = 'district') = (district_id IS NOT NULL)", name="ck_account_scope"),
        sa.CheckConstraint("role IN ('city', 'district', 'evaluator')", name="ck_account_role"),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name="fk_account_district_id_district"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("session_identity", name="uq_account_session_identity"),
        sa.UniqueConstraint("username", name="uq_account_username"),
    )

    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name="ck_installation_single"),
        sa.PrimaryKeyConstraint("id", name="pk_installation"),
    )


def downgrade() -> None:
    _refuse_if_any("account", "there are accounts")
    _refuse_if_any("installation", "the installation says whether it is a demonstration")
    op.drop_table("installation")
    op.drop_table("account")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
