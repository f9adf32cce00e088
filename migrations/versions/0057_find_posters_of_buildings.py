"""Index the posters of single buildings alone: to list them, all slips of a round were read, a million of them."""

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"

IS_OF_BUILDING = sa.text("building IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "ix_code_building",
        "code",
        ["community_id", "building"],
        sqlite_where=IS_OF_BUILDING,
        postgresql_where=IS_OF_BUILDING,
    )


def downgrade() -> None:
    op.drop_index("ix_code_building", "code")
