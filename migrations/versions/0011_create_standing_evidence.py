"""Create the evidence beside standings, frozen like them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "standing_evidence",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("satisfaction_lower", sa.Double(), nullable=True),
        sa.Column("satisfaction_upper", sa.Double(), nullable=True),
        sa.Column("satisfaction_shrunk", sa.Double(), nullable=True),
        sa.Column("satisfaction_shrunk_deviation", sa.Double(), nullable=True),
        sa.Column("satisfaction_rank_lower", sa.Integer(), nullable=True),
        sa.Column("satisfaction_rank_upper", sa.Integer(), nullable=True),
        sa.Column("satisfaction_top_probability", sa.Double(), nullable=True),
        sa.Column("satisfaction_evidence", sa.String(), nullable=True),
        sa.Column("satisfaction_evidence_reason", sa.String(), nullable=True),
        sa.Column("satisfaction_tipping_point", sa.Double(), nullable=True),
        sa.Column("complaint_rate_lower", sa.Double(), nullable=True),
        sa.Column("complaint_rate_upper", sa.Double(), nullable=True),
        sa.Column("complaint_top_probability", sa.Double(), nullable=True),
        sa.Column("complaint_evidence", sa.String(), nullable=True),
        sa.Column("complaint_evidence_reason", sa.String(), nullable=True),
        sa.Column("requirement_lower", sa.Double(), nullable=True),
        sa.Column("requirement_upper", sa.Double(), nullable=True),
        sa.Column("requirement_evidence", sa.String(), nullable=True),
        sa.Column("requirement_evidence_reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id", "community_id"],
            ["standing.evaluation_id", "standing.community_id"],
            name="fk_standing_evidence_standing",
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "community_id", name="pk_standing_evidence"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for action in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER standing_evidence_refuses_{action} BEFORE {action.upper()} ON standing_evidence "
                f"BEGIN SELECT RAISE(ABORT, 'standing_evidence is frozen: {action} refused'); END"
            )
        return
    op.execute(
        "CREATE TRIGGER standing_evidence_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON standing_evidence "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    _refuse_if_any("standing_evidence", "evidence is stored with standings")
    op.drop_table("standing_evidence")


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
