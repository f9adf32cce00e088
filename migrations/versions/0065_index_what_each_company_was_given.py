"""Index what each company was given, for the list of its cases."""

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"

HAS_COMPANY = sa.text("company_id IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_complaint_assignment_company_id",
        "complaint_assignment",
        ["company_id"],
        sqlite_where=HAS_COMPANY,
        postgresql_where=HAS_COMPANY,
    )


def downgrade() -> None:
    op.drop_index("ix_complaint_assignment_company_id", table_name="complaint_assignment")
