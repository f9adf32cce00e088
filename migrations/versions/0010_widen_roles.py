"""Let accounts be bound to a property company or a community, and add the roles that are."""

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0010"
down_revision = "0009"

OLD_ROLES = "role IN ('city', 'district', 'evaluator')"
OLD_SCOPE = "(role = 'district') = (district_id IS NOT NULL)"
ROLES = "role IN ('city', 'district', 'evaluator', 'company', 'clerk', 'administrator')"
SCOPE = (
    "CASE role "
    "WHEN 'district' THEN district_id IS NOT NULL AND company_id IS NULL AND community_id IS NULL "
    "WHEN 'company' THEN district_id IS NULL AND company_id IS NOT NULL AND community_id IS NULL "
    "WHEN 'clerk' THEN company_id IS NULL AND (district_id IS NULL) <> (community_id IS NULL) "
    "ELSE district_id IS NULL AND company_id IS NULL AND community_id IS NULL END"
)


def upgrade() -> None:
    with op.batch_alter_table("account") as batch:
        batch.add_column(sa.Column("company_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("community_id", sa.Integer(), nullable=True))
        batch.create_foreign_key("fk_account_company_id_property_company", "property_company", ["company_id"], ["id"])
        batch.create_foreign_key("fk_account_community_id_community", "community", ["community_id"], ["id"])
        _replace_checks(batch, ROLES, SCOPE)


def downgrade() -> None:
    _refuse_if_any(
        "account WHERE role NOT IN ('city', 'district', 'evaluator')",
        "there are accounts of companies, clerks or administrators",
    )
    with op.batch_alter_table("account") as batch:
        _replace_checks(batch, OLD_ROLES, OLD_SCOPE)
        batch.drop_constraint("fk_account_company_id_property_company", type_="foreignkey")
        batch.drop_constraint("fk_account_community_id_community", type_="foreignkey")
        batch.drop_column("company_id")
        batch.drop_column("community_id")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )


def _replace_checks(batch: BatchOperations, roles: str, scope: str) -> None:
    # In the copy of the table that SQLite gets, a check replaces the one of the same name.
    if op.get_bind().dialect.name == "postgresql":
        batch.drop_constraint("ck_account_role", type_="check")
        batch.drop_constraint("ck_account_scope", type_="check")
    batch.create_check_constraint("ck_account_role", roles)
    batch.create_check_constraint("ck_account_scope", scope)
