"""Keep a running count of what comes in; that of the responses so far is added to the tallies by the next worker.

What is known of closed rounds is how many came in, in all and through each code; their days and hours are on no page.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"

QUARTER = {
    "sqlite": (
        "substr(response.submitted_at, 1, 14) || "
        "substr('00153045', 2 * (CAST(substr(response.submitted_at, 15, 2) AS INTEGER) / 15) + 1, 2) || '\\:00.000000'"
    ),
    "postgresql": "to_timestamp(floor(extract(epoch FROM response.submitted_at) / 900) * 900)",
}
NOW = {"sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 'now')", "postgresql": "now()"}
# Of a household the newest, of the others those that were not corrected.
STANDS = (
    "response.answers IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM response AS next WHERE next.corrects_id = response.id) "
    "AND NOT EXISTS (SELECT 1 FROM response AS newer WHERE newer.household_key = response.household_key "
    "AND (newer.submitted_at > response.submitted_at "
    "OR newer.submitted_at = response.submitted_at AND newer.id > response.id))"
)
CODE = "CASE WHEN response.household_key IS NULL THEN response.code_id END"


def upgrade() -> None:
    op.create_table(
        "collection_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("quarter", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("code_id", sa.Integer(), nullable=True),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("through_code", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collection_change"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_collection_change_round_id_round"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_collection_change_community_id_community"),
        sa.ForeignKeyConstraint(["code_id"], ["code.id"], name="fk_collection_change_code_id_code"),
        sa.CheckConstraint("mode IN ('web', 'paper', 'telephone')", name="ck_collection_change_mode"),
    )
    op.create_table(
        "collection_tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("tally", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collection_tally"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_collection_tally_round_id_round"),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], name="fk_collection_tally_community_id_community"),
        sa.CheckConstraint(
            "tally IN ('received', 'day', 'hour', 'mode', 'standing', 'household', 'code')",
            name="ck_collection_tally_tally",
        ),
    )
    for name, place, columns in (
        ("community", "community_id IS NOT NULL", ["round_id", "tally", "community_id", "key"]),
        ("city", "community_id IS NULL", ["round_id", "tally", "key"]),
    ):
        where = sa.text(place)
        op.create_index(
            f"ix_collection_tally_{name}",
            "collection_tally",
            columns,
            unique=True,
            sqlite_where=where,
            postgresql_where=where,
        )
    engine = op.get_bind().dialect.name
    is_open = f"round.closes_at > {NOW[engine]}"
    _count({"quarter": QUARTER[engine], "mode": "response.mode"}, where=is_open)
    _count({}, where=f"NOT ({is_open})")


def downgrade() -> None:
    # Computed from the responses, whose number every page of the earlier version counts anew.
    op.drop_table("collection_tally")
    op.drop_table("collection_change")


def _count(time_and_mode: Mapping[str, str], *, where: str) -> None:
    kind = {"round_id": "response.round_id", "community_id": "response.community_id", "code_id": CODE, **time_and_mode}
    amounts = {
        "received": "count(*)",
        "standing": f"count(CASE WHEN {STANDS} THEN 1 END)",
        "households": f"count(CASE WHEN {STANDS} AND response.household_key IS NOT NULL THEN 1 END)",
        "through_code": f"count({CODE})",
    }
    columns, values = ", ".join(kind | amounts), ", ".join((kind | amounts).values())
    op.execute(
        f"INSERT INTO collection_change ({columns}) SELECT {values} "  # noqa: S608 (our own names)
        "FROM response JOIN round ON round.id = response.round_id "
        f"WHERE {where} GROUP BY {', '.join(kind.values())}"
    )
