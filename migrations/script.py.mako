"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    # Refuse first where what stands in the database would be lost, as the earlier revisions do.
    ${downgrades if downgrades else "pass"}
