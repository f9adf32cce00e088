"""Keep the photos that a questionnaire asks for beside those of complaints."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.create_table(
        "photo",
        *columns(),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=True),
        *constraints("photo", "question"),
        sa.ForeignKeyConstraint(["response_id"], ["response.id"], name="fk_photo_response_id_response"),
        sa.CheckConstraint("complaint_id IS NULL OR response_id IS NULL", name="ck_photo_owner"),
    )
    op.execute(
        "INSERT INTO photo "
        "(name, submission_key, question, community_id, complaint_id, upload_sha256, content, added_at) "
        "SELECT name, submission_key, '', community_id, complaint_id, upload_sha256, content, added_at "
        "FROM complaint_photo ORDER BY id"
    )
    op.drop_table("complaint_photo")
    for column in ("community_id", "complaint_id", "response_id"):
        op.create_index(f"ix_photo_{column}", "photo", [column])


def downgrade() -> None:
    _refuse_if_any("photo WHERE question <> '' OR response_id IS NOT NULL", "photos were sent with answers")
    op.create_table("complaint_photo", *columns(), *constraints("complaint_photo"))
    op.execute(
        "INSERT INTO complaint_photo "
        "(name, submission_key, community_id, complaint_id, upload_sha256, content, added_at) "
        "SELECT name, submission_key, community_id, complaint_id, upload_sha256, content, added_at "
        "FROM photo WHERE question = '' ORDER BY id"
    )
    op.drop_table("photo")
    for column in ("community_id", "complaint_id"):
        op.create_index(f"ix_complaint_photo_{column}", "complaint_photo", [column])


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )


def columns() -> list[sa.Column]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("upload_sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
    ]


def constraints(table: str, *within: str) -> list[sa.Constraint]:
    once = ("submission_key", *within, "upload_sha256")
    return [
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name=f"fk_{table}_community_id_community"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name=f"fk_{table}_complaint_id_complaint"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("name", name=f"uq_{table}_name"),
        sa.UniqueConstraint(*once, name=f"uq_{table}_{'_'.join(once)}"),
    ]
