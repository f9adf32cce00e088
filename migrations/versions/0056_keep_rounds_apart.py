"""Keep rounds apart: on PostgreSQL two transactions at a time could each store a round in the days of the other."""

from alembic import op

revision = "0056"
down_revision = "0055"


def upgrade() -> None:
    # SQLite has one writer at a time, whose check sees every round.
    if op.get_bind().dialect.name != "postgresql":
        return
    overlapping = op.get_bind().exec_driver_sql(
        "SELECT earlier.name, later.name FROM round AS earlier JOIN round AS later "
        "ON (earlier.opens_at, earlier.id) < (later.opens_at, later.id) AND later.opens_at < earlier.closes_at "
        "ORDER BY earlier.opens_at, later.opens_at"
    )
    if pairs := [f"{earlier} and {later}" for earlier, later in overlapping]:
        raise RuntimeError(
            f"only one round at a time takes answers, and some overlap: {'; '.join(pairs)}; nothing was changed. Give "
            "one of each other dates, with the earlier version or, if they are over, in the table round, and try again"
        )
    op.execute(
        "ALTER TABLE round ADD CONSTRAINT ex_round_period EXCLUDE USING gist (tstzrange(opens_at, closes_at) WITH &&)"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("ex_round_period", "round")
