"""Hold a response once: two examinations at a time could hold again what somebody had decided in between."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"

IS_HELD = sa.text("state = 'held'")


def upgrade() -> None:
    # The decision that followed the first one holds.
    op.execute(
        "DELETE FROM response_review WHERE state = 'held' AND EXISTS (SELECT 1 FROM response_review AS earlier "
        "WHERE earlier.response_id = response_review.response_id AND earlier.state = 'held' "
        "AND earlier.id < response_review.id)"
    )
    op.create_index(
        "ix_response_review_held",
        "response_review",
        ["response_id"],
        unique=True,
        sqlite_where=IS_HELD,
        postgresql_where=IS_HELD,
    )


def downgrade() -> None:
    op.drop_index("ix_response_review_held", "response_review")
