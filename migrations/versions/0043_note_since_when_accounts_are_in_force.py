"""Note since when each account is in force: whoever decides with a second person must have been for a while.

Of accounts that have an authenticator the audit chain tells it; the day on which they were added is the earliest
there is for the others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

ACCOUNT = sa.table(
    "account",
    sa.column("id", sa.Integer()),
    sa.column("totp_secret", sa.String()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("disabled_at", sa.DateTime(timezone=True)),
    sa.column("in_force_since", sa.DateTime(timezone=True)),
)
AUDIT_EVENT = sa.table(
    "audit_event",
    sa.column("happened_at", sa.DateTime(timezone=True)),
    sa.column("action", sa.String()),
    sa.column("subject", sa.String()),
)
BEGINNINGS = ("authenticator_linked", "account_enabled")


def upgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("in_force_since", sa.DateTime(timezone=True), nullable=True))
    last = sa.select(AUDIT_EVENT.c.subject, sa.func.max(AUDIT_EVENT.c.happened_at))
    began = dict(
        op.get_bind().execute(last.where(AUDIT_EVENT.c.action.in_(BEGINNINGS)).group_by(AUDIT_EVENT.c.subject)).all()
    )
    in_force = sa.select(ACCOUNT.c.id, ACCOUNT.c.created_at).where(
        ACCOUNT.c.totp_secret.is_not(None), ACCOUNT.c.disabled_at.is_(None)
    )
    for number, created_at in op.get_bind().execute(in_force).all():
        since = began.get(f"account:{number}", created_at)
        op.execute(ACCOUNT.update().where(ACCOUNT.c.id == number).values(in_force_since=since))


def downgrade() -> None:
    with op.batch_alter_table("account") as account:
        account.drop_column("in_force_since")
