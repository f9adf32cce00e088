"""Index when a household answered and as whom, so that its newest answer is found without its rows."""

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"

NAME = "ix_response_household_key"
HAS_HOUSEHOLD = sa.text("household_key IS NOT NULL")


def upgrade() -> None:
    _replace_index(["household_key", "submitted_at", "tenure"])


def downgrade() -> None:
    _replace_index(["household_key"])


def _replace_index(columns: list[str]) -> None:
    op.drop_index(NAME, "response")
    op.create_index(NAME, "response", columns, sqlite_where=HAS_HOUSEHOLD, postgresql_where=HAS_HOUSEHOLD)
