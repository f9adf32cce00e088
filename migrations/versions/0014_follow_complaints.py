"""Follow complaints: their events, notes, photos, contacts and supporters."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

CHECK = "ck_complaint_status"
# The naming convention was applied to a name that had followed it already.
EARLIER_CHECK = "ck_complaint_ck_complaint_status"
STATUSES = (
    "'submitted', 'accepted', 'dispatched', 'in_progress', 'awaiting_resident', 'responded', 'reopened', 'stage2', "
    "'closed', 'withdrawn', 'duplicate_of', 'invalid', 'out_of_scope'"
)
# The step that every complaint gets on the way up.
FIRST_STEP = (
    "number = 1 AND action = 'submit' AND actor = 'resident' AND account_id IS NULL AND reason IS NULL "
    "AND original_id IS NULL AND until IS NULL AND action_key IS NULL "
    "AND at = (SELECT submitted_at FROM complaint WHERE complaint.id = complaint_id)"
)


def upgrade() -> None:
    _widen_complaints()
    _create_events()
    op.create_table(
        "complaint_note",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["complaint_event.id"], name="fk_complaint_note_event_id_complaint_event"
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_complaint_note"),
    )
    op.create_table(
        "complaint_photo",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("submission_key", sa.String(), nullable=False),
        sa.Column("code_id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=True),
        sa.Column("upload_sha256", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["code_id"], ["code.id"], name="fk_complaint_photo_code_id_code"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_complaint_photo_complaint_id_complaint"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_photo"),
        sa.UniqueConstraint("name", name="uq_complaint_photo_name"),
        sa.UniqueConstraint("submission_key", "upload_sha256", name="uq_complaint_photo_submission_key_upload_sha256"),
    )
    op.create_index("ix_complaint_photo_code_id", "complaint_photo", ["code_id"])
    op.create_index("ix_complaint_photo_complaint_id", "complaint_photo", ["complaint_id"])
    op.create_table(
        "complaint_contact",
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_complaint_contact_complaint_id_complaint"),
        sa.PrimaryKeyConstraint("complaint_id", name="pk_complaint_contact"),
    )
    op.create_table(
        "complaint_support",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("supporter", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_complaint_support_complaint_id_complaint"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_support"),
        sa.UniqueConstraint("complaint_id", "supporter", name="uq_complaint_support_complaint_id_supporter"),
    )


def downgrade() -> None:
    _refuse_if_any(
        "complaint WHERE status <> 'submitted' OR status_since <> submitted_at",
        "complaints have moved on since they were filed",
    )
    _refuse_if_any("complaint WHERE secret_hash IS NOT NULL", "complaints can be followed with a secret")
    _refuse_if_any(
        "complaint WHERE place <> '' OR occurred_on IS NOT NULL", "complaints say where or when something happened"
    )
    _refuse_if_any("complaint_note", "there are notes about complaints")
    _refuse_if_any("complaint_photo", "there are photos of complaints")
    _refuse_if_any("complaint_contact", "contacts were left with complaints")
    _refuse_if_any("complaint_support", "complaints have supporters")
    _refuse_if_any(f"complaint_event WHERE ({FIRST_STEP}) IS NOT TRUE", "steps of complaints are recorded")
    for table in ("support", "contact", "photo", "note", "event"):
        op.drop_table(f"complaint_{table}")
    op.drop_index("ix_complaint_status", "complaint")
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint(op.f(CHECK), type_="check")
        batch.create_check_constraint(op.f(EARLIER_CHECK), "status IN ('submitted')")
        for column in ("secret_hash", "place", "occurred_on", "status_since"):
            batch.drop_column(column)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )


def _widen_complaints() -> None:
    with op.batch_alter_table("complaint") as batch:
        batch.add_column(sa.Column("secret_hash", sa.String(), nullable=True))
        batch.add_column(sa.Column("place", sa.String(), nullable=True))
        batch.add_column(sa.Column("occurred_on", sa.Date(), nullable=True))
        batch.add_column(sa.Column("status_since", sa.DateTime(timezone=True), nullable=True))
        batch.drop_constraint(op.f(EARLIER_CHECK), type_="check")
        batch.create_check_constraint(op.f(CHECK), f"status IN ({STATUSES})")
    op.execute("UPDATE complaint SET place = '', status_since = submitted_at")
    with op.batch_alter_table("complaint") as batch:
        batch.alter_column("place", existing_type=sa.String(), nullable=False)
        batch.alter_column("status_since", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_index("ix_complaint_status", "complaint", ["status"])


def _create_events() -> None:
    op.create_table(
        "complaint_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("complaint_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("original_id", sa.Integer(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("action_key", sa.String(), nullable=True),
        sa.CheckConstraint(
            "actor IN ('resident', 'bureau', 'company', 'system')", name=op.f("ck_complaint_event_actor")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_complaint_event_account_id_account"),
        sa.ForeignKeyConstraint(["complaint_id"], ["complaint.id"], name="fk_complaint_event_complaint_id_complaint"),
        sa.ForeignKeyConstraint(["original_id"], ["complaint.id"], name="fk_complaint_event_original_id_complaint"),
        sa.PrimaryKeyConstraint("id", name="pk_complaint_event"),
        sa.UniqueConstraint("action_key", name="uq_complaint_event_action_key"),
        sa.UniqueConstraint("complaint_id", "number", name="uq_complaint_event_complaint_id_number"),
    )
    op.execute(
        "INSERT INTO complaint_event (complaint_id, number, action, actor, at) "
        "SELECT id, 1, 'submit', 'resident', submitted_at FROM complaint"
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER complaint_event_refuses_{action} BEFORE {action.upper()} ON complaint_event "
                f"BEGIN SELECT RAISE(ABORT, 'complaint_event is frozen: {action} refused'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER complaint_event_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON complaint_event "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
