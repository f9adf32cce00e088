"""Let a clerk's account be bound to a subdistrict, a neighbourhood, or a list of communities."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"

OLD_SCOPE = (
    "CASE role "
    "WHEN 'district' THEN district_id IS NOT NULL AND company_id IS NULL AND community_id IS NULL "
    "WHEN 'company' THEN district_id IS NULL AND company_id IS NOT NULL AND community_id IS NULL "
    "WHEN 'clerk' THEN company_id IS NULL AND (district_id IS NULL) <> (community_id IS NULL) "
    "ELSE district_id IS NULL AND company_id IS NULL AND community_id IS NULL END"
)
NO_PART = "subdistrict_id IS NULL AND neighbourhood_id IS NULL"
SCOPE = (
    "CASE role "
    f"WHEN 'district' THEN {NO_PART} AND company_id IS NULL AND (district_id IS NOT NULL) "
    f"WHEN 'company' THEN district_id IS NULL AND {NO_PART} AND (company_id IS NOT NULL) "
    "WHEN 'clerk' THEN company_id IS NULL AND (district_id IS NULL OR subdistrict_id IS NULL) "
    "AND (district_id IS NULL OR neighbourhood_id IS NULL) AND (subdistrict_id IS NULL OR neighbourhood_id IS NULL) "
    f"ELSE district_id IS NULL AND {NO_PART} AND company_id IS NULL END"
)
PARTS = ("subdistrict", "neighbourhood")


def upgrade() -> None:
    op.create_table(
        "account_community",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "community_id", name="pk_account_community"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_community_account_id_account"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_account_community_community_id_community"),
    )
    op.create_index("ix_account_community_community_id", "account_community", ["community_id"])
    op.execute(
        "INSERT INTO account_community (account_id, community_id) "
        "SELECT id, community_id FROM account WHERE community_id IS NOT NULL"
    )
    with op.batch_alter_table("account") as batch:
        batch.drop_constraint("ck_account_scope", type_="check")
        for part in PARTS:
            batch.add_column(sa.Column(f"{part}_id", sa.Integer(), nullable=True))
            batch.create_foreign_key(f"fk_account_{part}_id_{part}", part, [f"{part}_id"], ["id"])
        batch.drop_constraint("fk_account_community_id_community", type_="foreignkey")
        batch.drop_column("community_id")
        batch.create_check_constraint("ck_account_scope", SCOPE)


def downgrade() -> None:
    _refuse_if_any(
        "account WHERE subdistrict_id IS NOT NULL OR neighbourhood_id IS NOT NULL",
        "there are accounts of subdistricts or neighbourhoods",
    )
    _refuse_if_any(
        "account_community GROUP BY account_id HAVING count(*) > 1", "there are accounts of several communities"
    )
    _refuse_if_any(
        "account WHERE role = 'clerk' AND district_id IS NULL AND id NOT IN (SELECT account_id FROM account_community)",
        "there are clerks who look after nothing",
    )
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("community_id", sa.Integer(), nullable=True))
        batch.create_foreign_key("fk_account_community_id_community", "community", ["community_id"], ["id"])
        batch.drop_constraint("ck_account_scope", type_="check")
        for part in PARTS:
            batch.drop_constraint(f"fk_account_{part}_id_{part}", type_="foreignkey")
            batch.drop_column(f"{part}_id")
    op.execute(
        "UPDATE account SET community_id = (SELECT community_id FROM account_community WHERE account_id = account.id)"
    )
    with op.batch_alter_table("account") as batch:
        batch.create_check_constraint("ck_account_scope", OLD_SCOPE)
    op.drop_index("ix_account_community_community_id", "account_community")
    op.drop_table("account_community")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
