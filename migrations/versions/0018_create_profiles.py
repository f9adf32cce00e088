"""Create the profiles behind standings, frozen like them."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

FROZEN = ("community_profile", "region_profile")


def upgrade() -> None:
    op.create_table(
        "community_profile",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("complaints", sa.String(), nullable=False),
        sa.Column("other_population", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name="fk_community_profile_evaluation_id_evaluation"
        ),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_community_profile_community_id_community"),
        sa.PrimaryKeyConstraint("evaluation_id", "community_id", name="pk_community_profile"),
    )
    op.create_table(
        "region_profile",
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("answers", sa.String(), nullable=False),
        sa.Column("complaints", sa.String(), nullable=False),
        sa.Column("drivers", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name="fk_region_profile_evaluation_id_evaluation"
        ),
        sa.PrimaryKeyConstraint("evaluation_id", "region", name="pk_region_profile"),
    )
    for table in FROZEN:
        if op.get_bind().dialect.name == "sqlite":
            for action in ("update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{action} BEFORE {action.upper()} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: {action} refused'); END"
                )
        else:
            op.execute(
                f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )


def downgrade() -> None:
    _refuse_if_any("community_profile", "profiles of communities are stored")
    _refuse_if_any("region_profile", "profiles of regions are stored")
    for table in FROZEN:
        op.drop_table(table)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        raise RuntimeError(
            f"{what}: the earlier version has no place for that, and nothing was changed; "
            "to go back, restore a backup from before the upgrade"
        )
