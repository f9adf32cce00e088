"""Note who has a case and until when an answer is owed, and what of its words a company may read."""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"

OFFICES = "'city', 'district', 'subdistrict', 'neighbourhood'"
INDEXES = (
    ("ix_complaint_deadline_at", ["deadline_at"], "deadline_at IS NOT NULL"),
    ("ix_complaint_company_id", ["company_id"], "company_id IS NOT NULL"),
)
DESK = [
    *("status", "stage", "deadline_at", "submitted_at", "category", "community_id"),
    *("proposal", "channel", "office", "handler_id", "company_id"),
]
NEXT_STEP = "ck_complaint_next_step"
EARLIER_BASIS = "(next_step_at IS NULL) = (next_step_basis IS NULL)"
BASIS = "(next_step_at IS NULL AND deadline_at IS NULL) = (next_step_basis IS NULL)"
# A missed deadline, a resident who asked for it, or a second rejection: nothing else leads to stage 2, or back.
IN_STAGE_2 = (
    "EXISTS (SELECT 1 FROM complaint_event e WHERE e.complaint_id = complaint.id AND e.action = 'escalate') OR "
    "(SELECT count(*) FROM complaint_event e WHERE e.complaint_id = complaint.id AND e.action = 'rejected') > 1"
)
OWED = "'submitted', 'accepted', 'dispatched', 'in_progress', 'reopened', 'stage2'"
NEW_STEPS = "'split', 'assign', 'transfer', 'return', 'extend', 'supervise', 'redo', 'note'"


def upgrade() -> None:
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint(NEXT_STEP, type_="check")
        batch.add_column(sa.Column("stage", sa.Integer(), nullable=False, server_default="1"))
        batch.add_column(sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True))
        batch.add_column(sa.Column("office", sa.String(), nullable=False, server_default="district"))
        batch.add_column(sa.Column("company_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("handler_id", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("is_supervised", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch.add_column(sa.Column("proposal", sa.String(), nullable=True))
        batch.create_foreign_key("fk_complaint_company_id_property_company", "property_company", ["company_id"], ["id"])
        batch.create_foreign_key("fk_complaint_handler_id_account", "account", ["handler_id"], ["id"])
        batch.create_check_constraint("ck_complaint_office", f"office IN ({OFFICES})")
    op.execute(f"UPDATE complaint SET stage = 2 WHERE {IN_STAGE_2}")  # noqa: S608 (our own names)
    # Of no calendar: the next run computes it anew.
    op.execute(
        "UPDATE complaint SET deadline_at = status_since, next_step_basis = '' "  # noqa: S608 (our own names)
        f"WHERE status IN ({OWED})"
    )
    with op.batch_alter_table("complaint") as batch:
        batch.create_check_constraint(NEXT_STEP, BASIS)
    for name, columns, condition in INDEXES:
        where = sa.text(condition)
        op.create_index(name, "complaint", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_complaint_desk", "complaint", DESK)
    _create_tables()
    _freeze_assignments()


def downgrade() -> None:
    _refuse_if_any(f"complaint_event WHERE action IN ({NEW_STEPS})", "cases took steps that are new in this version")
    _refuse_if_any("complaint_assignment", "cases were given to companies")
    _refuse_if_any("complaint_release", "words of residents were released to companies")
    op.drop_table("complaint_release")
    op.drop_table("complaint_assignment")
    op.drop_index("ix_complaint_desk", "complaint")
    for name, _columns, _condition in INDEXES:
        op.drop_index(name, "complaint")
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint(NEXT_STEP, type_="check")
        batch.drop_constraint("ck_complaint_office", type_="check")
        batch.drop_constraint("fk_complaint_handler_id_account", type_="foreignkey")
        batch.drop_constraint("fk_complaint_company_id_property_company", type_="foreignkey")
    op.execute("UPDATE complaint SET next_step_basis = NULL WHERE next_step_at IS NULL")
    with op.batch_alter_table("complaint") as batch:
        for column in ("proposal", "is_supervised", "handler_id", "company_id", "office", "deadline_at", "stage"):
            batch.drop_column(column)
        batch.create_check_constraint(NEXT_STEP, EARLIER_BASIS)


def _create_tables() -> None:
    op.create_table(
        "complaint_assignment",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("company_id", sa.Integer(), nullable=True),
        sa.Column("handler_id", sa.Integer(), nullable=True),
        sa.Column("office", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name="pk_complaint_assignment"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["complaint_event.id"], name="fk_complaint_assignment_event_id_complaint_event"
        ),
        sa.ForeignKeyConstraint(
            ["company_id"], ["property_company.id"], name="fk_complaint_assignment_company_id_property_company"
        ),
        sa.ForeignKeyConstraint(["handler_id"], ["account.id"], name="fk_complaint_assignment_handler_id_account"),
        sa.CheckConstraint(f"office IN ({OFFICES})", name="ck_complaint_assignment_office"),
    )
    op.create_table(
        "complaint_release",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("photos", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_complaint_release"),
        sa.ForeignKeyConstraint(
            ["event_id"], ["complaint_event.id"], name="fk_complaint_release_event_id_complaint_event"
        ),
    )


def _freeze_assignments() -> None:
    """Refuse changes of what events say; what was released of a resident's words is erased with them."""
    table = "complaint_assignment"
    if op.get_bind().dialect.name == "sqlite":
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_refuses_{action} BEFORE {action.upper()} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: {action} refused'); END"
            )
        return
    op.execute(
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
