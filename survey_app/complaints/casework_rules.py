"""Casework rules: the times by which cases are handled and the thresholds by which this is judged, read from a file.

A file is published once and never changes; a case follows the one that was in force on the day of its submission.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from analytics.canonical import sha256_hex
from analytics.casework.rates import Formulas, ResolutionFormula, ResponseFormula, SatisfactionFormula
from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from analytics.languages import Wording
from analytics.rules import read_share
from survey_app.complaints.canonical_files import as_day, canonical_text

FORMAT: Final = "jiayuan-casework-1"
LONGEST_REOPENING_DAYS: Final = 90
"""As long as contact details are kept (data/privacy), and no longer: who reopens a case can be reached."""

_MOST_WORKING_DAYS = 250
_MOST_HOURS = 24 * 60
_LONGEST_SILENCE_DAYS = 90
_MOST_TIMES = 9
_MOST_CASES = 10_000
# A city adds a file when a time changes.
_MOST_KEPT = 32
_PERIOD_KEYS = ("working_days", "safety_hours")
_KEYS = (
    "format",
    "issuer",
    "document",
    "basis",
    "in_force_from",
    "acknowledgement",
    "answer",
    "stage_2",
    "pause",
    "extension",
    "silence_days",
    "reopening_days",
    "watch_list",
    "bulletin",
    "call_backs",
    "rates",
)


@dataclass(frozen=True)
class Period:
    """Time within which something is owed: working days in an ordinary case, hours in a matter of safety."""

    working_days: int
    safety: timedelta


@dataclass(frozen=True)
class Extension:
    """How often the answer may be put off, and by how many working days each time at most."""

    most: int
    longest_working_days: int


@dataclass(frozen=True)
class WatchList:
    """When a company is on the watch list: the share of contradicted closures, and the fewest that were verified."""

    contradicted_share: Fraction
    least_verified: int


@dataclass(frozen=True)
class Bulletin:
    """When the monthly bulletin names a company: the fewest cases, and the share in time below which it is named."""

    least_cases: int
    share_in_time: Fraction


@dataclass(frozen=True)
class SamplePrecision:
    """Precision of a sample of call-backs: the margin of a share, and the confidence with which it holds."""

    margin: Fraction
    confidence: Fraction


@dataclass(frozen=True)
class SampleShare:
    """Share of the closed cases that is called back."""

    share: Fraction


@dataclass(frozen=True)
class Rate:
    """A rate that bulletins state: its formula by name, and the sentence that says it to readers."""

    formula: str
    statement: Wording


@dataclass(frozen=True)
class CaseworkRules:
    """All rules of one casework file.

    `stage_2_after` is the rejection that takes a case to stage 2, `silence` how long an answer waits for the resident,
    `reopening` how long after its end a case can come back; `canonical_text` is what is stored and hashed.
    """

    issuer: str
    document: str
    basis: str
    in_force_from: date
    acknowledgement: Period
    answer: Period
    stage_2: Period
    stage_2_after: int
    longest_pause: int
    extension: Extension
    silence: timedelta
    reopening: timedelta
    watch_list: WatchList
    bulletin: Bulletin
    call_backs: SamplePrecision | SampleShare
    response_rate: Rate
    resolution_rate: Rate
    satisfaction_rate: Rate
    canonical_text: str = field(default="", repr=False)

    @property
    def formulas(self) -> Formulas:
        """Formulas of the three rates."""
        return Formulas(
            ResponseFormula(self.response_rate.formula),
            ResolutionFormula(self.resolution_rate.formula),
            SatisfactionFormula(self.satisfaction_rate.formula),
        )

    @property
    def rates(self) -> Mapping[str, Rate]:
        """The three rates, by the names that `analytics.casework.rates.three_rates` gives them."""
        return MappingProxyType(
            {
                "response": self.response_rate,
                "resolution": self.resolution_rate,
                "satisfaction": self.satisfaction_rate,
            }
        )

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical text."""
        return sha256_hex(self.canonical_text)


def load_casework_rules(path: Path) -> CaseworkRules:
    """Return the casework rules in the file at `path`, or raise `DocumentError` with every fault of it."""
    return parse_casework_rules(path.read_bytes(), str(path))


def parse_casework_rules(content: bytes, source: str) -> CaseworkRules:
    """Return the casework rules in a YAML file, or raise `DocumentError` with every fault of it."""
    document = Document(content, source)
    root = Node.root(document)
    root.expect_keys(_KEYS)
    root["format"].expect(FORMAT)
    root["pause"].expect_keys(("longest_working_days",))
    root["stage_2"].expect_keys((*_PERIOD_KEYS, "after_rejections"))
    root["rates"].expect_keys(("response", "resolution", "satisfaction"))
    for key in ("acknowledgement", "answer"):
        root[key].expect_keys(_PERIOD_KEYS)
    rules = CaseworkRules(
        issuer=root["issuer"].text(),
        document=root["document"].text(),
        basis=root["basis"].text(),
        in_force_from=as_day(root["in_force_from"].value) or root["in_force_from"].day(),
        acknowledgement=_read_period(root["acknowledgement"]),
        answer=_read_period(root["answer"]),
        stage_2=_read_period(root["stage_2"]),
        stage_2_after=root["stage_2"]["after_rejections"].integer(1, _MOST_TIMES),
        longest_pause=root["pause"]["longest_working_days"].integer(1, _MOST_WORKING_DAYS),
        extension=_read_extension(root["extension"]),
        silence=timedelta(days=root["silence_days"].integer(1, _LONGEST_SILENCE_DAYS)),
        reopening=timedelta(days=root["reopening_days"].integer(0, LONGEST_REOPENING_DAYS)),
        watch_list=_read_watch_list(root["watch_list"]),
        bulletin=_read_bulletin(root["bulletin"]),
        call_backs=_read_call_backs(root["call_backs"]),
        response_rate=_read_rate(root["rates"]["response"], tuple(ResponseFormula)),
        resolution_rate=_read_rate(root["rates"]["resolution"], tuple(ResolutionFormula)),
        satisfaction_rate=_read_rate(root["rates"]["satisfaction"], tuple(SatisfactionFormula)),
    )
    _note_late_acknowledgement(root["acknowledgement"], rules)
    document.raise_faults()
    return replace(rules, canonical_text=canonical_text(document.root))


@lru_cache(maxsize=_MOST_KEPT)
def casework_rules_of(text: str) -> CaseworkRules:
    """Return the casework rules whose `canonical_text` was stored; read once per process and file."""
    return parse_casework_rules(text.encode("utf-8"), "stored casework file")


def _read_period(node: Node) -> Period:
    return Period(
        working_days=node["working_days"].integer(1, _MOST_WORKING_DAYS),
        safety=timedelta(hours=node["safety_hours"].integer(1, _MOST_HOURS)),
    )


def _note_late_acknowledgement(node: Node, rules: CaseworkRules) -> None:
    """Record a fault where an acknowledgement would be owed after the answer."""
    if rules.acknowledgement.working_days > rules.answer.working_days:
        node["working_days"].fault("an acknowledgement cannot be owed later than the answer")
    if rules.acknowledgement.safety > rules.answer.safety:
        node["safety_hours"].fault("an acknowledgement cannot be owed later than the answer")


def _read_extension(node: Node) -> Extension:
    node.expect_keys(("most", "longest_working_days"))
    return Extension(
        most=node["most"].integer(0, _MOST_TIMES),
        longest_working_days=node["longest_working_days"].integer(1, _MOST_WORKING_DAYS),
    )


def _read_watch_list(node: Node) -> WatchList:
    node.expect_keys(("contradicted_share", "least_verified"))
    return WatchList(
        contradicted_share=read_share(node["contradicted_share"]),
        least_verified=node["least_verified"].integer(1, _MOST_CASES),
    )


def _read_bulletin(node: Node) -> Bulletin:
    node.expect_keys(("least_cases", "share_in_time"))
    return Bulletin(
        least_cases=node["least_cases"].integer(1, _MOST_CASES), share_in_time=read_share(node["share_in_time"])
    )


def _read_call_backs(node: Node) -> SamplePrecision | SampleShare:
    """Return the size of a sample of call-backs: its precision, or its share of the closed cases."""
    if node["share"].exists:
        node.expect_keys(("share",))
        return SampleShare(read_share(node["share"]))
    node.expect_keys(("margin", "confidence"))
    return SamplePrecision(margin=_read_part(node["margin"]), confidence=_read_part(node["confidence"]))


def _read_part(node: Node) -> Fraction:
    """Return a share below 1: no sample is exact or certain."""
    faults = len(node.document.faults)
    share = read_share(node)
    if share == 1 and node.exists and len(node.document.faults) == faults:
        node.fault("this share must be below 100 %, it is {value}", value=node.value)
    return share


def _read_rate(node: Node, formulas: Sequence[str]) -> Rate:
    node.expect_keys(("formula", "statement"))
    return Rate(formula=node["formula"].choice(formulas), statement=node["statement"].only_wording())
