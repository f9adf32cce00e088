"""Let the household link go after the freeze, and all answers when their time is over."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.add_column(sa.Column("superseded_within", sa.String(), nullable=True))
        response.add_column(sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
        response.create_check_constraint(
            "ck_response_superseded_within", "superseded_within IN ('tenure', 'household')"
        )
        response.create_check_constraint("ck_response_erased", "erased_at IS NULL OR answers IS NULL")
    with op.batch_alter_table("slip_batch") as batch:
        batch.add_column(sa.Column("households_answered", sa.Integer(), nullable=True))


def downgrade() -> None:
    _refuse_if_any(
        "response WHERE superseded_within IS NOT NULL OR erased_at IS NOT NULL",
        "links to households or answers were erased",
    )
    _refuse_if_any("slip_batch WHERE households_answered IS NOT NULL", "the households that answered were counted")
    with op.batch_alter_table("slip_batch") as batch:
        batch.drop_column("households_answered")
    with op.batch_alter_table("response") as response:
        for name in ("superseded_within", "erased"):
            response.drop_constraint(f"ck_response_{name}", type_="check")
        response.drop_column("superseded_within")
        response.drop_column("erased_at")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
