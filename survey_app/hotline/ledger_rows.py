"""Rows of a hotline's file: what each says of one case, and the columns in which it says so."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import Fault


class Moment(NamedTuple):
    """A time of a file in UTC; of a mere day it is the beginning, or for a time limit the end."""

    at: datetime
    is_day: bool = False

    @classmethod
    def of(cls, read: datetime | date, zone: tzinfo, *, is_limit: bool = False) -> "Moment":
        """Return what was read, a day by its first moment or, for a limit, by the first moment after it."""
        if isinstance(read, datetime):
            return cls(read)
        day = read + timedelta(days=1) if is_limit else read
        return cls(datetime.combine(day, time(), zone), is_day=True)

    @property
    def latest(self) -> datetime:
        """The last moment that it may mean."""
        return self.at + timedelta(days=1, microseconds=-1) if self.is_day else self.at


@dataclass(frozen=True)
class Column:
    """A column of a hotline's file: the field that it states, its header in Chinese and English, and other headers."""

    field: str
    header: str
    english_header: str
    other_headers: tuple[str, ...] = ()
    is_required: bool = False
    is_time: bool = False
    is_limit: bool = False
    width: int = 14


COLUMNS: Final = (
    Column("number", "工单号", "case number", ("工单编号", "工单ID", "单号", "编号"), is_required=True, width=20),
    Column(
        "submitted", "时间", "time", ("来电时间", "受理时间", "诉求时间", "登记时间"), is_required=True, is_time=True
    ),
    Column("source", "来源", "source", ("诉求来源", "来电渠道", "渠道")),
    Column("category", "类型", "type", ("诉求类型", "问题类型", "工单类型", "诉求分类"), is_required=True),
    Column("community", "小区", "community", ("小区名称", "所属小区", "诉求小区"), is_required=True, width=24),
    Column("text", "内容", "content", ("诉求内容", "工单内容", "问题描述"), is_required=True, width=40),
    Column("confidential", "保密", "confidential", ("是否保密", "要求保密")),
    Column("undertaker", "承办", "undertaker", ("承办单位", "承办部门"), width=20),
    Column("dispatched", "派单", "dispatched", ("派单时间", "转办时间"), is_time=True),
    Column("signed", "签收", "signed", ("签收时间",), is_time=True),
    Column("limit", "时限", "time limit", ("办理时限", "办结时限", "截止时间"), is_time=True, is_limit=True),
    Column("extended", "延期", "extended until", ("延期至", "延期时间", "延期时限"), is_time=True, is_limit=True),
    Column("returned", "退单", "returned", ("退单时间",), is_time=True),
    Column("answer", "答复", "answer", ("答复内容", "办理结果", "回复内容"), width=40),
    Column("ended", "办结", "closed", ("办结时间", "结案时间"), is_time=True),
    Column("call_back", "回访", "call-back", ("回访结果", "回访情况")),
    Column("redone", "重办", "dealt with again", ("重办时间",), is_time=True),
    # A hotline that keeps these apart; neither is needed.
    Column("status", "状态", "status", ("工单状态", "办理状态")),
    Column("telephone", "电话", "telephone", ("来电号码", "联系电话", "联系方式", "手机号")),
)
HEADER_OF: Final[Mapping[str, str]] = {column.field: column.header for column in COLUMNS}


@dataclass(frozen=True)
class LedgerRow:
    """What a file says of one case. None, or an empty text, is what it leaves blank.

    `category` and `kind` are what the table makes of the 类型; of the telephone there is only a keyed digest.
    """

    number: str
    submitted: Moment
    source: str
    category: str
    kind: str
    category_written: str
    community: str
    text: str
    is_confidential: bool
    undertaker: str
    dispatched: Moment | None
    signed: Moment | None
    limit: Moment | None
    extended: Moment | None
    returned: Moment | None
    answer: str
    answered: Moment | None
    ended: Moment | None
    call_back: str
    redone: Moment | None
    telephone_digest: str | None

    @property
    def sha256(self) -> str:
        """Digest of all that the row says: a row that says the same again changes nothing."""
        return sha256_hex(canonical_json(_plain(self)))

    @property
    def due_at(self) -> datetime | None:
        """The time limit that holds: the extended one, where there is one."""
        limit = self.extended or self.limit
        return None if limit is None else limit.at


@dataclass(frozen=True)
class Ledger:
    """A faultless file: its rows with their lines, and notes on what was left out."""

    rows: tuple[LedgerRow, ...]
    lines: tuple[int, ...]
    notes: tuple[Fault, ...] = field(default=(), compare=False)
    source: str = field(default="-", compare=False)


_FIELDS: Final = tuple(each.name for each in fields(LedgerRow))
_MOMENTS: Final = frozenset(
    {"submitted", "dispatched", "signed", "limit", "extended", "returned", "answered", "ended", "redone"}
)


def written_rows(ledger: Ledger) -> str:
    """Return the rows as text, to be read again by `parse_rows`."""
    return canonical_json({"rows": [_plain(row) for row in ledger.rows], "lines": ledger.lines})


def parse_rows(text: str, *, source: str) -> Ledger:
    """Return the rows that were written as text."""
    stored = json.loads(text)
    rows = (LedgerRow(*map(_parsed, _FIELDS, values)) for values in stored["rows"])
    return Ledger(tuple(rows), tuple(stored["lines"]), source=source)


def _plain(row: LedgerRow) -> Sequence[object]:
    values = (getattr(row, name) for name in _FIELDS)
    return [[value.at.isoformat(), value.is_day] if isinstance(value, Moment) else value for value in values]


def _parsed(name: str, value: Any) -> Any:
    if name not in _MOMENTS or value is None:
        return value
    at, is_day = value
    return Moment(datetime.fromisoformat(at), is_day=is_day)
