"""Publish the casework file and the calendars that cases have followed, and note of each period by when it had to end.

Every case so far gets the file with the times of the program until now. The deadline of a period that has ended is
computed once more, as every page did until now, and stored with the event that ended it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import yaml
from alembic import op

revision = "0060"
down_revision = "0059"

# When both came with the program.
PUBLISHED_AT = datetime(2026, 12, 2, tzinfo=UTC)
CASEWORK_FILE = {
    "acknowledgement": {"safety_hours": 2, "working_days": 1},
    "answer": {"safety_hours": 24, "working_days": 10},
    "basis": "软件自带的办理时限，主管部门发布自己的文件后，新提交的诉求按新文件办理",
    "bulletin": {"least_cases": 20, "share_in_time": "90 %"},
    "call_backs": {"confidence": "95 %", "margin": "5 %"},
    "document": "none",
    "extension": {"longest_working_days": 10, "most": 1},
    "format": "jiayuan-casework-1",
    "in_force_from": "2021-08-23",
    "issuer": "家园软件随附（未经主管部门另行发布）",
    "pause": {"longest_working_days": 5},
    "rates": {
        "resolution": {
            "formula": "confirmed_of_verdicts",
            "statement": {
                "en": "Resolution rate (our formula): cases whose resident said that "
                "it is fixed ÷ cases whose resident gave a verdict; silence is "
                "told apart",
                "zh-Hans": "解决率（本系统口径）＝居民认可已解决件数÷居民作出评价的件数；未表态的另行列出",
            },
        },
        "response": {
            "formula": "acknowledged_in_time_of_judged",
            "statement": {
                "en": "Response rate (our formula): cases acknowledged in time ÷ cases "
                "whose acknowledgement was due; cases that residents withdrew or "
                "took to a review in time are left out",
                "zh-Hans": "响应率（本系统口径）＝按时签收件数÷应签收件数；居民在时限内自行撤回或申请提级的不计入",
            },
        },
        "satisfaction": {
            "formula": "satisfied_of_reached",
            "statement": {
                "en": "Satisfaction rate (our formula): residents who said in a "
                "call-back that they are satisfied ÷ residents who were "
                "reached; who was not reached is not dissatisfied",
                "zh-Hans": "满意率（本系统口径）＝回访中表示满意的件数÷回访联系上的件数；未联系上的不算不满意",
            },
        },
    },
    "reopening_days": 90,
    "silence_days": 7,
    "stage_2": {"after_rejections": 2, "safety_hours": 24, "working_days": 10},
    "watch_list": {"contradicted_share": "20 %", "least_verified": 10},
}
# Year, basis, and of each holiday its name, first and last day, and the days that are worked for it.
CALENDARS = (
    (
        2023,
        "国务院办公厅关于2023年部分节假日安排的通知（国办发明电〔2022〕16号）",
        (
            ("元旦", "01-01", "01-02", ""),
            ("春节", "01-21", "01-27", "01-28 01-29"),
            ("清明节", "04-05", "04-05", ""),
            ("劳动节", "04-29", "05-03", "04-23 05-06"),
            ("端午节", "06-22", "06-24", "06-25"),
            ("中秋节、国庆节", "09-29", "10-06", "10-07 10-08"),
            ("元旦（2024年）", "12-30", "12-31", ""),
        ),
    ),
    (
        2024,
        "国务院办公厅关于2024年部分节假日安排的通知（国办发明电〔2023〕7号）",
        (
            ("元旦", "01-01", "01-01", ""),
            ("春节", "02-10", "02-17", "02-04 02-18"),
            ("清明节", "04-04", "04-06", "04-07"),
            ("劳动节", "05-01", "05-05", "04-28 05-11"),
            ("端午节", "06-10", "06-10", ""),
            ("中秋节", "09-15", "09-17", "09-14"),
            ("国庆节", "10-01", "10-07", "09-29 10-12"),
        ),
    ),
    (
        2025,
        "国务院办公厅关于2025年部分节假日安排的通知（国办发明电〔2024〕12号）",
        (
            ("元旦", "01-01", "01-01", ""),
            ("春节", "01-28", "02-04", "01-26 02-08"),
            ("清明节", "04-04", "04-06", ""),
            ("劳动节", "05-01", "05-05", "04-27"),
            ("端午节", "05-31", "06-02", ""),
            ("国庆节、中秋节", "10-01", "10-08", "09-28 10-11"),
        ),
    ),
    (
        2026,
        "国务院办公厅关于2026年部分节假日安排的通知（国办发明电〔2025〕7号）",
        (
            ("元旦", "01-01", "01-03", "01-04"),
            ("春节", "02-15", "02-23", "02-14 02-28"),
            ("清明节", "04-04", "04-06", ""),
            ("劳动节", "05-01", "05-05", "05-09"),
            ("端午节", "06-19", "06-21", ""),
            ("中秋节", "09-25", "09-27", ""),
            ("国庆节", "10-01", "10-07", "09-20 10-10"),
        ),
    ),
)
SAFETY_CATEGORIES = frozenset({"EQ01", "FS01", "FS02", "FS03", "FS04"})
ACKNOWLEDGEMENT, SAFETY_ACKNOWLEDGEMENT = 1, timedelta(hours=2)
ANSWER, SAFETY_ANSWER = 10, timedelta(hours=24)

NEXT = {
    "accept": "accepted",
    "dispatch": "dispatched",
    "start": "in_progress",
    "ask_resident": "awaiting_resident",
    "resume": "in_progress",
    "respond": "responded",
    "confirmed_fixed": "closed",
    "partly_fixed": "reopened",
    "auto_close": "closed",
    "reopen": "reopened",
    "escalate": "stage2",
    "withdraw": "withdrawn",
    "merge": "duplicate_of",
    "invalidate": "invalid",
    "refuse": "out_of_scope",
    "redo": "reopened",
}
# What is owed in each status.
OWED = {"submitted": "acknowledgement"} | dict.fromkeys(
    ("accepted", "dispatched", "in_progress", "awaiting_resident", "reopened", "stage2"), "answer"
)
FROZEN = ("casework_file", "working_calendar")
AT_ONCE = 1000


class Moment(sa.types.TypeDecorator):
    """UTC times, which SQLite keeps without their zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return value.replace(tzinfo=None) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


CASEWORK_FILES = sa.table(
    "casework_file",
    sa.column("id", sa.Integer()),
    sa.column("text", sa.String()),
    sa.column("sha256", sa.String()),
    sa.column("in_force_from", sa.Date()),
    sa.column("published_at", Moment()),
)
WORKING_CALENDARS = sa.table(
    "working_calendar",
    sa.column("year", sa.Integer()),
    sa.column("version", sa.Integer()),
    sa.column("text", sa.String()),
    sa.column("sha256", sa.String()),
    sa.column("published_at", Moment()),
)
EVENTS = sa.table(
    "complaint_event",
    sa.column("id", sa.Integer()),
    sa.column("complaint_id", sa.Integer()),
    sa.column("number", sa.Integer()),
    sa.column("action", sa.String()),
    sa.column("actor", sa.String()),
    sa.column("at", Moment()),
    sa.column("until", Moment()),
    sa.column("due_at", Moment()),
)
COMPLAINTS = sa.table("complaint", sa.column("id", sa.Integer()), sa.column("category", sa.String()))


def upgrade() -> None:
    op.create_table(
        "casework_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_casework_file"),
        sa.UniqueConstraint("sha256", name="uq_casework_file_sha256"),
        sa.UniqueConstraint("in_force_from", name="uq_casework_file_in_force_from"),
    )
    op.create_table(
        "working_calendar",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_working_calendar_account_id_account"),
        sa.PrimaryKeyConstraint("id", name="pk_working_calendar"),
        sa.UniqueConstraint("year", "version", name="uq_working_calendar_year_version"),
    )
    op.bulk_insert(CASEWORK_FILES, [_casework_file()])
    op.bulk_insert(WORKING_CALENDARS, _calendars())
    for table in FROZEN:
        _freeze(table)
    with op.batch_alter_table("complaint") as batch:
        batch.add_column(sa.Column("casework_file_id", sa.Integer(), nullable=True))
        batch.create_foreign_key(
            "fk_complaint_casework_file_id_casework_file", "casework_file", ["casework_file_id"], ["id"]
        )
    op.execute("UPDATE complaint SET casework_file_id = (SELECT id FROM casework_file)")
    with op.batch_alter_table("complaint") as batch:
        batch.alter_column("casework_file_id", existing_type=sa.Integer(), nullable=False)
    op.add_column("complaint_event", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    _store_deadlines()


def downgrade() -> None:
    _refuse_if_any(f"casework_file WHERE sha256 <> '{_casework_file()['sha256']}'", "casework files were published")
    delivered = ", ".join(f"'{each['sha256']}'" for each in _calendars())
    _refuse_if_any(f"working_calendar WHERE sha256 NOT IN ({delivered}) OR version > 1", "calendars were published")
    _refuse_where_judged_otherwise()
    op.drop_column("complaint_event", "due_at")
    with op.batch_alter_table("complaint") as batch:
        batch.drop_constraint("fk_complaint_casework_file_id_casework_file", type_="foreignkey")
        batch.drop_column("casework_file_id")
    for table in FROZEN:
        op.drop_table(table)


def _refuse_if_any(rows: str, what: str) -> None:
    # Asked before the first change: what the earlier version has no place for would be lost.
    if op.get_bind().execute(sa.text(f"SELECT 1 FROM {rows} LIMIT 1")).first():  # noqa: S608 (our own names)
        _refuse(what)


def _refuse_where_judged_otherwise() -> None:
    # Judged by a calendar that has been corrected since, or by a zone that is another one now.
    if any(due_at != stored for _event, due_at, stored in _deadlines()):
        _refuse("deadlines were judged by what holds no longer")


def _refuse(what: str) -> None:
    raise RuntimeError(
        f"{what}: the earlier version has no place for that, and nothing was changed; "
        "to go back, restore a backup from before the upgrade"
    )


def _canonical(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _published(content: Mapping[str, object]) -> dict[str, object]:
    text = _canonical(content)
    return {"text": text, "sha256": hashlib.sha256(text.encode()).hexdigest(), "published_at": PUBLISHED_AT}


def _casework_file() -> dict[str, object]:
    return _published(CASEWORK_FILE) | {"in_force_from": date.fromisoformat(CASEWORK_FILE["in_force_from"])}


def _calendars() -> list[dict[str, object]]:
    found = []
    for year, basis, holidays in CALENDARS:
        content = {"format": "jiayuan-calendar-1", "year": year, "basis": basis, "holidays": []}
        for name, first, last, worked in holidays:
            made_up = [f"{year}-{day}" for day in worked.split()]
            holiday = {"name": name, "from": f"{year}-{first}", "to": f"{year}-{last}"}
            content["holidays"].append(holiday | ({"make_up": made_up} if made_up else {}))
        found.append(_published(content) | {"year": year, "version": 1})
    return found


def _freeze(table: str) -> None:
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


def _store_deadlines() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("DROP TRIGGER complaint_event_refuses_update")
    else:
        op.execute("ALTER TABLE complaint_event DISABLE TRIGGER complaint_event_refuses_change")
    update = sa.update(EVENTS).where(EVENTS.c.id == sa.bindparam("event")).values(due_at=sa.bindparam("due"))
    found = [{"event": event, "due": due_at} for event, due_at, _stored in _deadlines() if due_at is not None]
    for begin in range(0, len(found), AT_ONCE):
        op.get_bind().execute(update, found[begin : begin + AT_ONCE])
    if is_sqlite:
        op.execute(
            "CREATE TRIGGER complaint_event_refuses_update BEFORE UPDATE ON complaint_event "
            "BEGIN SELECT RAISE(ABORT, 'complaint_event is frozen: update refused'); END"
        )
    else:
        op.execute("ALTER TABLE complaint_event ENABLE TRIGGER complaint_event_refuses_change")


def _deadlines() -> Iterator[tuple[int, datetime | None, datetime | None]]:
    """Yield each event with the deadline of the period that it ends, None where it ends none, and the stored one."""
    clocks = {is_safety: Clock(is_safety=is_safety, zone=_zone()) for is_safety in (False, True)}
    statement = sa.select(EVENTS, COMPLAINTS.c.category).join_from(
        EVENTS, COMPLAINTS, EVENTS.c.complaint_id == COMPLAINTS.c.id
    )
    case = None
    for event in op.get_bind().execute(statement.order_by(EVENTS.c.complaint_id, EVENTS.c.number)):
        if case is None or event.complaint_id != case.number:
            # The submission, with which the first period begins.
            case = Case(event.complaint_id, clocks[event.category in SAFETY_CATEGORIES], event.at)
            yield event.id, None, event.due_at
        else:
            yield event.id, case.take(event), event.due_at


def _zone() -> tzinfo:
    newest = "SELECT f.content FROM rule_file f JOIN round r ON r.rule_file_id = f.id ORDER BY r.opens_at DESC LIMIT 1"
    content = op.get_bind().execute(sa.text(newest)).scalar()
    return UTC if content is None else ZoneInfo(yaml.safe_load(content)["time_zone"])


def _days_off() -> tuple[frozenset[date], frozenset[date]]:
    off, worked = set(), set()
    for year, _basis, holidays in CALENDARS:
        for _name, first, last, made_up in holidays:
            begin, end = (date.fromisoformat(f"{year}-{day}") for day in (first, last))
            off |= {begin + timedelta(days=days) for days in range((end - begin).days + 1)}
            worked |= {date.fromisoformat(f"{year}-{day}") for day in made_up.split()}
    return frozenset(off), frozenset(worked)


OFF, WORKED = _days_off()


@dataclass(frozen=True)
class Clock:
    """Hours for a matter of safety, working days of the city for any other."""

    is_safety: bool
    zone: tzinfo

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def after(self, moment: datetime, count: int) -> datetime:
        day = self.day_of(moment)
        while count:
            day += timedelta(days=1)
            count -= is_working_day(day)
        return datetime.combine(day + timedelta(days=1), time(), self.zone).astimezone(UTC)


def is_working_day(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


@dataclass
class Case:
    """Where a case stands, for its deadlines."""

    number: int
    clock: Clock
    started: datetime
    status: str = "submitted"
    stage: int = 1
    rejections: int = 0
    merged: str | None = None
    extended: datetime | None = None
    paused: datetime | None = None
    paused_until: datetime | None = None
    resumed: datetime | None = None

    def take(self, event: sa.Row) -> datetime | None:
        """Take a step, and return the deadline of the period that it ends."""
        before, started, after = self.status, self.started, self._next(event)
        if before == "awaiting_resident" != after and self.resumed is None:
            self.resumed = event.at
        deadline = self._deadline()
        if event.action == "ask_resident":
            self.paused, self.paused_until = event.at, event.until
        self.status = after
        if event.action == "merge":
            self.merged = before
        if event.action == "extend":
            self.extended = event.until
        if event.action == "rejected":
            self.rejections += 1
        if self.status == "stage2":
            self.stage = 2
        if self.status in {"stage2", "reopened"} and self.status != before and event.action != "split":
            self.started, self.extended = event.at, None
        if deadline is None or (OWED.get(self.status) == OWED[before] and self.started == started):
            return None
        return None if event.actor == "resident" and event.at < deadline else deadline

    def _next(self, event: sa.Row) -> str:
        if event.action == "rejected":
            return "stage2" if self.rejections and self.stage == 1 else "reopened"
        if event.action == "split":
            return self.merged or self.status
        if event.action == "add" and self.status == "awaiting_resident":
            return "in_progress"
        return NEXT.get(event.action, self.status)

    def _deadline(self) -> datetime | None:
        owed = OWED.get(self.status)
        if owed is None:
            return None
        if owed == "acknowledgement":
            if self.clock.is_safety:
                return self.started + SAFETY_ACKNOWLEDGEMENT
            return self.clock.after(self.started, ACKNOWLEDGEMENT)
        regular = self._regular_answer()
        return regular if self.extended is None else max(regular, self.extended)

    def _regular_answer(self) -> datetime:
        pause = self._pause()
        if self.clock.is_safety:
            return self.started + SAFETY_ANSWER + (pause[1] - pause[0] if pause else timedelta())
        days = ANSWER
        if pause:
            first, last = self.clock.day_of(pause[0]), self.clock.day_of(pause[1] - timedelta(microseconds=1))
            days += sum(is_working_day(first + timedelta(days=each)) for each in range(1, (last - first).days + 1))
        return self.clock.after(self.started, days)

    def _pause(self) -> tuple[datetime, datetime] | None:
        if self.paused is None or self.paused_until is None or self.paused < self.started:
            return None
        return self.paused, min(self.resumed or self.paused_until, self.paused_until)
