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
    gone = "SELECT 1 FROM response WHERE superseded_within IS NOT NULL OR erased_at IS NOT NULL LIMIT 1"
    if op.get_bind().execute(sa.text(gone)).first():
        raise RuntimeError(
            "links to households or answers were erased: the earlier schema would count them wrongly, "
            "nothing was changed"
        )
    with op.batch_alter_table("slip_batch") as batch:
        batch.drop_column("households_answered")
    with op.batch_alter_table("response") as response:
        for name in ("superseded_within", "erased"):
            response.drop_constraint(f"ck_response_{name}", type_="check")
        response.drop_column("superseded_within")
        response.drop_column("erased_at")
