"""Queue background jobs in one table, which also holds when recurring work was last done."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

STATUSES = "'queued', 'running', 'done', 'failed', 'cancelled'"
# What `_carry_over` writes, and so what the way up gives again.
CARRIED_OVER = (
    "key = 'scheduled' AND arguments = '{}' AND enqueued_by = 'site' AND enqueued_at = begun_at AND due_at = begun_at "
    "AND attempts = 1 AND progress_done = 0 AND progress_total IS NULL AND stage = '' AND cancelled_by IS NULL "
    "AND cancel_requested_at IS NULL AND result IS NULL AND "
    "(status IN ('done', 'failed') AND ended_at = begun_at AND leased_until IS NULL "
    "AND (status = 'failed') = (failure IS NOT NULL) "
    "OR status = 'running' AND lease_token = 'carried over' AND leased_until = begun_at "
    "AND ended_at IS NULL AND failure IS NULL)"
)
# Of two jobs of one kind that can be noted, the first succeeded and the second did not.
NOT_THE_LAST = (
    "later.id > job.id AND NOT (job.status = 'done' AND "
    "(later.status = 'failed' OR later.status = 'running' AND later.begun_at <> job.begun_at))"
)
IS_OPEN = sa.text("status IN ('queued', 'running')")

CHORE_RUN = sa.table(
    "chore_run",
    sa.column("chore", sa.String()),
    sa.column("begun_at", sa.DateTime(timezone=True)),
    sa.column("done_at", sa.DateTime(timezone=True)),
    sa.column("failure", sa.String()),
)
JOB = sa.table(
    "job",
    sa.column("id", sa.Integer()),
    sa.column("kind", sa.String()),
    sa.column("key", sa.String()),
    sa.column("arguments", sa.String()),
    sa.column("enqueued_by", sa.String()),
    sa.column("enqueued_at", sa.DateTime(timezone=True)),
    sa.column("due_at", sa.DateTime(timezone=True)),
    sa.column("status", sa.String()),
    sa.column("attempts", sa.Integer()),
    sa.column("lease_token", sa.String()),
    sa.column("leased_until", sa.DateTime(timezone=True)),
    sa.column("begun_at", sa.DateTime(timezone=True)),
    sa.column("progress_done", sa.Integer()),
    sa.column("stage", sa.String()),
    sa.column("ended_at", sa.DateTime(timezone=True)),
    sa.column("failure", sa.String()),
)


def upgrade() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("arguments", sa.String(), nullable=False),
        sa.Column("enqueued_by", sa.String(), nullable=False),
        sa.Column("enqueued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=True),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("cancelled_by", sa.String(), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_job_status")),
        sa.CheckConstraint("(status = 'running') = (lease_token IS NOT NULL)", name=op.f("ck_job_lease")),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index(
        "ix_job_open_key", "job", ["kind", "key"], unique=True, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )
    op.create_index("ix_job_open_due_at", "job", ["due_at"], sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)
    op.create_index("ix_job_kind_status", "job", ["kind", "status"])
    _carry_over()
    op.drop_table("chore_run")


def downgrade() -> None:
    # The earlier version notes the last run and the last success of recurring work, as they were carried over.
    _refuse_if_any(f"job WHERE ({CARRIED_OVER}) IS NOT TRUE", "background jobs were queued or done")
    _refuse_if_any(f"job AS later JOIN job USING (kind) WHERE {NOT_THE_LAST}", "recurring work was done again")
    op.create_table(
        "chore_run",
        sa.Column("chore", sa.String(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("chore", name="pk_chore_run"),
    )
    _carry_back()
    op.drop_table("job")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )


def _carry_over() -> None:
    chore = CHORE_RUN.c
    # The last run to its end: it was noted with the time of its beginning.
    _insert(chore.done_at.is_not(None), status="done", begun_at=chore.done_at, ended_at=chore.done_at)
    # The last run, where it was another one.
    _insert(chore.failure.is_not(None), status="failed", ended_at=chore.begun_at, failure=chore.failure)
    # One that was never ended: its worker is gone, and so its lease has run out.
    _insert(
        sa.and_(chore.failure.is_(None), sa.or_(chore.done_at.is_(None), chore.done_at != chore.begun_at)),
        status="running",
        lease_token="carried over",  # noqa: S106 (nobody holds it)
        leased_until=chore.begun_at,
    )


def _insert(condition: sa.ColumnElement[bool], *, status: str, **values: object) -> None:
    begun_at = values.pop("begun_at", CHORE_RUN.c.begun_at)
    columns = {
        "kind": CHORE_RUN.c.chore,
        "key": "scheduled",
        "arguments": "{}",
        "enqueued_by": "site",
        "enqueued_at": begun_at,
        "due_at": begun_at,
        "status": status,
        "attempts": 1,
        "begun_at": begun_at,
        "progress_done": 0,
        "stage": "",
        **values,
    }
    selected = [value if isinstance(value, sa.ColumnElement) else sa.literal(value) for value in columns.values()]
    op.execute(JOB.insert().from_select(list(columns), sa.select(*selected).where(condition)))


def _carry_back() -> None:
    last = JOB.alias("last")
    done = JOB.alias("done")
    newest = sa.select(sa.func.max(JOB.c.id)).group_by(JOB.c.kind)
    done_at = sa.select(done.c.ended_at).where(done.c.status == "done", done.c.kind == last.c.kind).scalar_subquery()
    runs = sa.select(last.c.kind, last.c.begun_at, done_at, last.c.failure).where(last.c.id.in_(newest))
    op.execute(CHORE_RUN.insert().from_select(["chore", "begun_at", "done_at", "failure"], runs))
