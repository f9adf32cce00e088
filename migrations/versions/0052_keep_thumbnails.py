"""Keep a small copy of each photo, which pages drew anew each time; `jiayuan migrate` draws those of earlier photos."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    op.create_table(
        "attachment_thumbnail",
        sa.Column("attachment_id", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("attachment_id", name="pk_attachment_thumbnail"),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachment.id"],
            name="fk_attachment_thumbnail_attachment_id_attachment",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    # Drawn anew from the photos, by the earlier version for each page.
    op.drop_table("attachment_thumbnail")
