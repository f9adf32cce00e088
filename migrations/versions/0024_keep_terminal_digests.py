"""Keep for 48 hours, as a keyed digest, from which terminal answers were sent."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.add_column(sa.Column("terminal_digest", sa.String(), nullable=True))
        response.create_check_constraint(
            "ck_response_withdrawn_terminal", "answers IS NOT NULL OR terminal_digest IS NULL"
        )


def downgrade() -> None:
    _refuse_if_any(
        "response WHERE terminal_digest IS NOT NULL",
        "answers of the last 48 hours are noted with the digest of their terminal",
    )
    with op.batch_alter_table("response") as response:
        response.drop_constraint("ck_response_withdrawn_terminal", type_="check")
        response.drop_column("terminal_digest")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
