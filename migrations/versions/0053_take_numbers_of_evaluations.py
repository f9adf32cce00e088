"""Take the number of an evaluation before its rows are stored, so that the evaluation itself can be stored last.

Standings, evidence and profiles refer to the number. Where no evaluation has it, they are of one that is being stored,
or was given up, and may be deleted; with an evaluation they are frozen as before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"

# SQLite changes a foreign key only by copying its table, which is large for standings: where a table is renamed, the
# keys that refer to it follow. They keep the name that they were given.
PARTS = ("standing", "community_profile", "region_profile")
FROZEN_WITH_EVALUATION = ("standing", "standing_evidence", "community_profile", "region_profile")


def upgrade() -> None:
    if _is_sqlite():
        op.execute("ALTER TABLE evaluation RENAME TO evaluation_number")
        _create_evaluation("evaluation", of_number=True)
        _copy("evaluation_number", "evaluation")
        _create_numbers("new_evaluation_number")
        op.execute("INSERT INTO new_evaluation_number (id, taken_at) SELECT id, evaluated_at FROM evaluation")
        op.execute("DROP TABLE evaluation_number")
        op.execute("ALTER TABLE new_evaluation_number RENAME TO evaluation_number")
        _refer_publications()
        _freeze_on_sqlite("evaluation")
    else:
        _create_numbers("evaluation_number")
        op.execute("INSERT INTO evaluation_number (id, taken_at) SELECT id, evaluated_at FROM evaluation")
        _go_on_counting("evaluation_number")
        for table in PARTS:
            _refer(table, "evaluation_number")
        op.execute("ALTER TABLE evaluation ALTER COLUMN id DROP DEFAULT")
        op.execute("DROP SEQUENCE evaluation_id_seq")
        op.create_foreign_key("fk_evaluation_id_evaluation_number", "evaluation", "evaluation_number", ["id"], ["id"])
        op.execute(
            "CREATE FUNCTION refuse_to_delete_evaluated() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF EXISTS (SELECT 1 FROM evaluation WHERE id = OLD.evaluation_id) THEN "
            "RAISE EXCEPTION '% is frozen: delete refused', TG_TABLE_NAME; END IF; RETURN OLD; END $$"
        )
    for table in FROZEN_WITH_EVALUATION:
        _freeze_with_evaluation(table)


def downgrade() -> None:
    _refuse_if_any("evaluation_number WHERE id NOT IN (SELECT id FROM evaluation)", "an evaluation is stored in part")
    for table in FROZEN_WITH_EVALUATION:
        _freeze_whole(table)
    if _is_sqlite():
        _create_evaluation("whole_evaluation", of_number=False)
        _copy("evaluation", "whole_evaluation")
        op.execute("DROP TABLE evaluation")
        op.execute("ALTER TABLE evaluation_number RENAME TO evaluation")
        op.execute("DROP TABLE evaluation")
        op.execute("ALTER TABLE whole_evaluation RENAME TO evaluation")
        _freeze_on_sqlite("evaluation")
        return
    op.execute("DROP FUNCTION refuse_to_delete_evaluated()")
    op.drop_constraint("fk_evaluation_id_evaluation_number", "evaluation", type_="foreignkey")
    for table in PARTS:
        _refer(table, "evaluation")
    op.drop_table("evaluation_number")
    op.execute("CREATE SEQUENCE evaluation_id_seq AS integer OWNED BY evaluation.id")
    op.execute("ALTER TABLE evaluation ALTER COLUMN id SET DEFAULT nextval('evaluation_id_seq')")
    _go_on_counting("evaluation")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _create_numbers(name: str) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation_number"),
    )


def _create_evaluation(name: str, *, of_number: bool) -> None:
    number = [sa.ForeignKeyConstraint(["id"], ["evaluation_number.id"], name="fk_evaluation_id_evaluation_number")]
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("rule_file_id", sa.Integer(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("cut_off", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inputs", sa.String(), nullable=False),
        sa.Column("inputs_sha256", sa.String(), nullable=False),
        sa.Column("standings_sha256", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.Column("code_version", sa.String(), nullable=False),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence_method", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_evaluation"),
        sa.ForeignKeyConstraint(["rule_file_id"], ["rule_file.id"], name="fk_evaluation_rule_file_id_rule_file"),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_evaluation_round_id_round"),
        sa.UniqueConstraint(
            "round_id",
            "rule_file_id",
            "inputs_sha256",
            "cut_off",
            "code_version",
            "provisional",
            "evidence_method",
            name="uq_evaluation_identity",
        ),
        *(number if of_number else ()),
    )


def _copy(source: str, target: str) -> None:
    columns = ", ".join(column["name"] for column in sa.inspect(op.get_bind()).get_columns(target))
    op.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {source}")  # noqa: S608 (our own names)


def _refer_publications() -> None:
    """Let publications refer to evaluations again, whose number their key followed."""
    name = "fk_publication_evaluation_id_evaluation"
    with op.batch_alter_table("publication") as publication:
        publication.drop_constraint(name, type_="foreignkey")
        publication.create_foreign_key(name, "evaluation", ["evaluation_id"], ["id"])
    _freeze_on_sqlite("publication")


def _refer(table: str, to: str) -> None:
    name = f"fk_{table}_evaluation_id_evaluation"
    op.drop_constraint(name, table, type_="foreignkey")
    op.create_foreign_key(name, table, to, ["evaluation_id"], ["id"])


def _go_on_counting(table: str) -> None:
    op.execute(
        f"SELECT setval('{table}_id_seq', greatest(1, (SELECT max(id) FROM {table})), "  # noqa: S608 (our own names)
        f"EXISTS (SELECT 1 FROM {table}))"
    )


def _freeze_on_sqlite(table: str) -> None:
    for action in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_refuses_{action} BEFORE {action.upper()} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: {action} refused'); END"
        )


def _freeze_with_evaluation(table: str) -> None:
    """Let rows be deleted as long as no evaluation has their number."""
    if _is_sqlite():
        op.execute(f"DROP TRIGGER {table}_refuses_delete")
        op.execute(
            f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "  # noqa: S608 (our own names)
            "WHEN EXISTS (SELECT 1 FROM evaluation WHERE id = OLD.evaluation_id) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: delete refused'); END"
        )
        return
    op.execute(f"DROP TRIGGER {table}_refuses_change ON {table}")
    op.execute(
        f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_evaluated()"
    )


def _freeze_whole(table: str) -> None:
    """Let no row be deleted, as before."""
    if _is_sqlite():
        op.execute(f"DROP TRIGGER {table}_refuses_delete")
        op.execute(
            f"CREATE TRIGGER {table}_refuses_delete BEFORE DELETE ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: delete refused'); END"
        )
        return
    op.execute(f"DROP TRIGGER {table}_refuses_delete ON {table}")
    op.execute(f"DROP TRIGGER {table}_refuses_change ON {table}")
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
