"""Keep files of every kind in one table; the photos of before become one kind, with the size and hash of each."""

import hashlib
from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

# A photo has some 200 kB: a chunk is a few megabytes in memory, whatever a city has sent.
ROWS_PER_CHUNK = 50
OWNERS = {"community_id": "community", "complaint_id": "complaint", "response_id": "response"}


def upgrade() -> None:
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("upload_sha256", sa.String(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("response_id", sa.Integer(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        # Last: SQLite reads all of it to reach a column behind it.
        sa.Column("content", sa.LargeBinary(), nullable=False),
        *constraints("attachment", ("submission_key", "kind", "question", "upload_sha256")),
    )
    for chunk in chunks_of_photos():
        # The content itself is copied by the database.
        op.get_bind().execute(
            sa.text(
                "INSERT INTO attachment (kind, name, media_type, size, sha256, upload_sha256, submission_key, question,"
                " community_id, complaint_id, response_id, added_at, content) "
                "SELECT 'photo', name, 'image/jpeg', :size, :sha256, upload_sha256, submission_key, question,"
                " community_id, complaint_id, response_id, added_at, content FROM photo WHERE id = :id"
            ),
            chunk,
        )
    op.drop_table("photo")
    create_indexes("attachment")


def downgrade() -> None:
    _refuse_if_any(
        "attachment WHERE kind <> 'photo' OR media_type <> 'image/jpeg'", "files were sent that are no photos"
    )
    op.create_table(
        "photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("upload_sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("response_id", sa.Integer(), nullable=True),
        *constraints("photo", ("submission_key", "question", "upload_sha256")),
    )
    columns = (
        "name, submission_key, community_id, complaint_id, upload_sha256, content, added_at, question, response_id"
    )
    op.execute(f"INSERT INTO photo ({columns}) SELECT {columns} FROM attachment ORDER BY id")  # noqa: S608 (our own names)
    op.drop_table("attachment")
    create_indexes("photo")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )


def chunks_of_photos() -> Iterator[list[dict[str, object]]]:
    """Yield the size and hash of each photo, in the order in which they came."""
    statement = sa.text("SELECT id, content FROM photo WHERE id > :last ORDER BY id LIMIT :limit")
    last = 0
    while rows := op.get_bind().execute(statement, {"last": last, "limit": ROWS_PER_CHUNK}).all():
        yield [
            {"id": row.id, "size": len(row.content), "sha256": hashlib.sha256(row.content).hexdigest()} for row in rows
        ]
        last = rows[-1].id


def constraints(table: str, once: Sequence[str]) -> list[sa.Constraint]:
    return [
        *(
            sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=f"fk_{table}_{column}_{owner}")
            for column, owner in OWNERS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("name", name=f"uq_{table}_name"),
        sa.UniqueConstraint(*once, name=f"uq_{table}_{'_'.join(once)}"),
        sa.CheckConstraint("complaint_id IS NULL OR response_id IS NULL", name=f"ck_{table}_owner"),
    ]


def create_indexes(table: str) -> None:
    for column in OWNERS:
        op.create_index(f"ix_{table}_{column}", table, [column])
