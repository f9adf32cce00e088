"""Count failed tries by where they come from, refused sign-ins by the hour, and note the source of unsent files."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

SCOPES = "scope IN ('line', 'prefix', 'pair', 'subject', 'everywhere', 'proven')"


def upgrade() -> None:
    op.create_table(
        "attempt_count",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("failures", sa.Double(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(SCOPES, name=op.f("ck_attempt_count_scope")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempt_count")),
    )
    op.create_index("ix_attempt_count_expires_at", "attempt_count", ["expires_at"])
    op.create_table(
        "failed_sign_in",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "subject", "step", name=op.f("pk_failed_sign_in")),
    )
    op.create_table(
        "attachment_source",
        sa.Column("attachment_id", sa.Integer(), nullable=False),
        sa.Column("address_digest", sa.String(), nullable=False),
        sa.Column("prefix_digest", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attachment_id"],
            ["attachment.id"],
            name=op.f("fk_attachment_source_attachment_id_attachment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachment_source")),
    )
    op.create_index("ix_attachment_source_address_digest", "attachment_source", ["address_digest"])
    # Tries that were counted by case, code or account alone: within a day they would count no longer.
    op.drop_table("attempt")


def downgrade() -> None:
    _refuse_if_any("attempt_count", "failed tries were counted by where they came from")
    _refuse_if_any("failed_sign_in", "refused sign-ins wait to be recorded in the audit chain")
    _refuse_if_any("attachment_source", "files whose form is not sent are noted with digests of network addresses")
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("attempted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_action_subject", "attempt", ["action", "subject"])
    op.create_index("ix_attempt_expires_at", "attempt", ["expires_at"])
    op.drop_table("attachment_source")
    op.drop_table("failed_sign_in")
    op.drop_table("attempt_count")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
