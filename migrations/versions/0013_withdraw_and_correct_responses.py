"""Let responses be withdrawn, corrected, replaced by their household's next, and entered by staff."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

ERASED_ON_WITHDRAWAL = (("tenure", sa.Integer()), ("answers", sa.String()), ("nonce", sa.LargeBinary()))
CHECKS = {
    "entered_by": "(mode = 'web') = (entered_by_id IS NULL)",
    "withdrawn_tenure": "(answers IS NULL) = (tenure IS NULL)",
    "withdrawn_nonce": "(answers IS NULL) = (nonce IS NULL)",
    "withdrawn_household": "answers IS NOT NULL OR household_key IS NULL AND code_id IS NULL",
}


def upgrade() -> None:
    with op.batch_alter_table("response") as response:
        response.add_column(sa.Column("household_key", sa.String(), nullable=True))
        response.add_column(sa.Column("entered_by_id", sa.Integer(), nullable=True))
        response.add_column(sa.Column("corrects_id", sa.Integer(), nullable=True))
        response.alter_column("code_id", existing_type=sa.Integer(), nullable=True)
        for column, kind in ERASED_ON_WITHDRAWAL:
            response.alter_column(column, existing_type=kind, nullable=True)
        response.create_unique_constraint("uq_response_corrects_id", ["corrects_id"])
        response.create_foreign_key("fk_response_corrects_id_response", "response", ["corrects_id"], ["id"])
        response.create_foreign_key("fk_response_entered_by_id_account", "account", ["entered_by_id"], ["id"])
        response.drop_constraint("ck_response_mode", type_="check")
        response.create_check_constraint("ck_response_mode", "mode IN ('web', 'paper', 'telephone')")
        for name, condition in CHECKS.items():
            response.create_check_constraint(f"ck_response_{name}", condition)
    op.create_index("ix_response_household_key", "response", ["household_key"])

    op.create_table(
        "response_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('withdrawn', 'corrected')", name="ck_response_event_kind"),
        sa.CheckConstraint("actor IN ('resident', 'staff')", name="ck_response_event_actor"),
        sa.CheckConstraint("(actor = 'staff') = (account_id IS NOT NULL)", name="ck_response_event_account"),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name="fk_response_event_response_id_response"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_response_event_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_response_event"),
        sa.UniqueConstraint("response_id", "kind", name="uq_response_event_response_id_kind"),
    )


def downgrade() -> None:
    _refuse_if_any(
        "response WHERE mode <> 'web' OR code_id IS NULL OR corrects_id IS NOT NULL",
        "responses were withdrawn, corrected or entered by staff",
    )
    _refuse_if_any("response WHERE household_key IS NOT NULL", "responses are linked to households")
    _refuse_if_any("response_event", "the withdrawal or correction of responses is noted")
    op.drop_table("response_event")
    op.drop_index("ix_response_household_key", "response")
    with op.batch_alter_table("response") as response:
        for name in (*CHECKS, "mode"):
            response.drop_constraint(f"ck_response_{name}", type_="check")
        response.drop_constraint("fk_response_entered_by_id_account", type_="foreignkey")
        response.drop_constraint("fk_response_corrects_id_response", type_="foreignkey")
        response.drop_constraint("uq_response_corrects_id", type_="unique")
        for column in ("corrects_id", "entered_by_id", "household_key"):
            response.drop_column(column)
        response.alter_column("code_id", existing_type=sa.Integer(), nullable=False)
        for column, kind in ERASED_ON_WITHDRAWAL:
            response.alter_column(column, existing_type=kind, nullable=False)
        response.create_check_constraint("ck_response_mode", "mode IN ('web')")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
