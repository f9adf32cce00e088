"""Commit to each question of a response, give responses a handle, and keep a digest of the change code."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"

COLUMNS = ("commitment_algorithm", "handle", "handle_nonce", "change_digest")
UNIQUE = ("commitment", "handle")
CHECK = "(commitment_algorithm = 1) = (handle IS NULL)"


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        # Responses stored before keep their commitment to the whole text; their receipt alone corrects and withdraws.
        response.add_column(sa.Column("commitment_algorithm", sa.Integer(), server_default="1", nullable=False))
        response.add_column(sa.Column("handle", sa.String(), nullable=True))
        response.add_column(sa.Column("handle_nonce", sa.LargeBinary(), nullable=True))
        response.add_column(sa.Column("change_digest", sa.String(), nullable=True))
        for column in UNIQUE:
            response.create_unique_constraint(f"uq_response_{column}", [column])
        response.create_check_constraint("ck_response_handle", CHECK)


def downgrade() -> None:
    _refuse_if_any(
        "response WHERE commitment_algorithm <> 1 OR handle_nonce IS NOT NULL",
        "commitments to each question and handles are stored with responses",
    )
    _refuse_if_any("response WHERE change_digest IS NOT NULL", "responses are kept with their change codes")
    with op.batch_alter_table("response") as response:
        response.drop_constraint("ck_response_handle", type_="check")
        for column in UNIQUE:
            response.drop_constraint(f"uq_response_{column}", type_="unique")
        for column in reversed(COLUMNS):
            response.drop_column(column)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
