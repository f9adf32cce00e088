"""Keep complaints apart from slips: a household's complaint says nothing of its answers."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    with op.batch_alter_table("complaint") as batch:
        batch.alter_column("code_id", existing_type=sa.Integer(), nullable=True)
    op.execute("UPDATE complaint SET code_id = NULL WHERE code_id IN (SELECT id FROM code WHERE kind = 'household')")
    with op.batch_alter_table("complaint_photo") as batch:
        batch.add_column(sa.Column("community_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE complaint_photo "
        "SET community_id = (SELECT community_id FROM code WHERE code.id = complaint_photo.code_id)"
    )
    op.drop_index("ix_complaint_photo_code_id", "complaint_photo")
    with op.batch_alter_table("complaint_photo") as batch:
        batch.alter_column("community_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key("fk_complaint_photo_community_id_community", "community", ["community_id"], ["id"])
        batch.drop_constraint("fk_complaint_photo_code_id_code", type_="foreignkey")
        batch.drop_column("code_id")
    op.create_index("ix_complaint_photo_community_id", "complaint_photo", ["community_id"])


def downgrade() -> None:
    _refuse_if_any("complaint WHERE code_id IS NULL", "complaints were filed without a poster's code")
    _refuse_if_any(
        "complaint_photo WHERE community_id NOT IN (SELECT community_id FROM code WHERE kind = 'poster')",
        "photos came from communities that have no poster",
    )
    with op.batch_alter_table("complaint") as batch:
        batch.alter_column("code_id", existing_type=sa.Integer(), nullable=False)
    op.drop_index("ix_complaint_photo_community_id", "complaint_photo")
    with op.batch_alter_table("complaint_photo") as batch:
        batch.add_column(sa.Column("code_id", sa.Integer(), nullable=True))
    # Any poster of the community stands in for the code that is not known any more.
    op.execute(
        "UPDATE complaint_photo SET code_id = "
        "(SELECT min(id) FROM code WHERE kind = 'poster' AND code.community_id = complaint_photo.community_id)"
    )
    with op.batch_alter_table("complaint_photo") as batch:
        batch.alter_column("code_id", existing_type=sa.Integer(), nullable=False)
        batch.create_foreign_key("fk_complaint_photo_code_id_code", "code", ["code_id"], ["id"])
        batch.drop_constraint("fk_complaint_photo_community_id_community", type_="foreignkey")
        batch.drop_column("community_id")
    op.create_index("ix_complaint_photo_code_id", "complaint_photo", ["code_id"])


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
