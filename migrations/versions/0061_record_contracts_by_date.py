"""Record which property company is in charge of a community on which day."""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"


def upgrade() -> None:
    op.create_table(
        "property_contract",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_property_contract"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_property_contract_community_id_community"),
        sa.ForeignKeyConstraint(
            ["company_id"], ["property_company.id"], name="fk_property_contract_company_id_property_company"
        ),
        sa.CheckConstraint("starts_on <= ends_on", name="ck_property_contract_days"),
    )
    op.create_index("ix_property_contract_community_id", "property_contract", ["community_id"])
    op.create_index("ix_property_contract_company_id", "property_contract", ["company_id"])


def downgrade() -> None:
    if op.get_bind().execute(sa.text("SELECT 1 FROM property_contract LIMIT 1")).first():
        raise RuntimeError(
            "changes of property companies were recorded: the earlier version has no place for that, and nothing was "
            "changed; to go back, restore a backup from before the upgrade"
        )
    op.drop_table("property_contract")
