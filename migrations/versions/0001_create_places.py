"""Create districts, property companies and communities."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "district",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("english_name", sa.String(), nullable=True),
        sa.Column("telephone", sa.String(), nullable=True),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_district"),
        sa.UniqueConstraint("name", name="uq_district_name"),
    )

    op.create_table(
        "property_company",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("english_name", sa.String(), nullable=True),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_property_company"),
        sa.UniqueConstraint("name", name="uq_property_company_name"),
    )

    op.create_table(
        "community",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("district_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("english_name", sa.String(), nullable=True),
        sa.Column("households_delivered", sa.Integer(), nullable=True),
        sa.Column("households_occupied", sa.Integer(), nullable=True),
        sa.Column("households_owners", sa.Integer(), nullable=True),
        sa.Column("sort_key", sa.String(), nullable=False),
        sa.CheckConstraint("households_delivered >= 0", name="ck_community_households_delivered"),
        sa.CheckConstraint("households_occupied >= 0", name="ck_community_households_occupied"),
        sa.CheckConstraint("households_owners >= 0", name="ck_community_households_owners"),
        sa.ForeignKeyConstraint(
            ["company_id"], ["property_company.id"], name="fk_community_company_id_property_company"
        ),
        sa.ForeignKeyConstraint(["district_id"], ["district.id"], name="fk_community_district_id_district"),
        sa.PrimaryKeyConstraint("id", name="pk_community"),
        sa.UniqueConstraint("number", name="uq_community_number"),
    )
    op.create_index("ix_community_company_id", "community", ["company_id"])
    op.create_index("ix_community_district_id", "community", ["district_id"])
    op.create_index("ix_community_sort_key", "community", ["sort_key"])


def downgrade() -> None:
    _refuse_if_any("community", "communities are registered")
    _refuse_if_any("property_company", "property companies are registered")
    _refuse_if_any("district", "districts are registered")
    op.drop_table("community")
    op.drop_table("property_company")
    op.drop_table("district")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
