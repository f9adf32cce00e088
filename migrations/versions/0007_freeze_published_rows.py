"""Refuse to change or delete what was published: questionnaires, rule files, evaluations, standings."""

from alembic import op

revision = "0007"
down_revision = "0006"

FROZEN = ("questionnaire", "rule_file", "evaluation", "standing")


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in FROZEN:
            for action in ("update", "delete"):
                op.execute(
                    f"CREATE TRIGGER {table}_refuses_{action} BEFORE {action.upper()} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is frozen: {action} refused'); END"
                )
        return
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is frozen: % refused', TG_TABLE_NAME, lower(TG_OP); END $$"
    )
    for table in FROZEN:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in FROZEN:
            for action in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_refuses_{action}")
        return
    for table in FROZEN:
        op.execute(f"DROP TRIGGER {table}_refuses_change ON {table}")
    op.execute("DROP FUNCTION refuse_change()")
