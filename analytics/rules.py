"""Rules of an evaluation: parsed from a rule file that states every choice, as exact values."""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from analytics.canonical import sha256_hex
from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node, note_repeats
from analytics.languages import N_, Wording

FORMAT_1: Final = "jiayuan-rules-1"
"""Rule files issued under version 0.1. They are read for ever as they were read then; nothing is added to them."""

FORMAT_2: Final = "jiayuan-rules-2"
"""Rule files that also state how far answers and complaints of one household are alike. Open until 0.2 is released."""

Region = Literal["district", "city"]
WhenKIsZero = Literal["not_applicable", "wider_region"]
Measure = Literal["satisfaction_rate", "satisfaction_index", "composite"]
Population = Literal["owners", "residents"]
Rounding = Literal["floor", "ceil", "at_least_one"]
Ties = Literal["include", "exclude"]
ZeroTies = Literal["include", "exclude", "by_exposure", "undecidable"]
Denominator = Literal["occupied_households", "delivered_households"]
DenominatorFallback = Literal["delivered_households", "none"]
Prior = Literal["normal", "nonparametric"]

OTHER_POPULATION: Final[Mapping[Population, Population]] = MappingProxyType(
    {"owners": "residents", "residents": "owners"}
)
"""The other population for each population whose answers can count."""

_REGIONS: Final[tuple[Region, ...]] = get_args(Region)
_WHEN_K_IS_ZERO: Final[tuple[WhenKIsZero, ...]] = get_args(WhenKIsZero)
_MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
_POPULATIONS: Final[tuple[Population, ...]] = get_args(Population)
_ROUNDINGS: Final[tuple[Rounding, ...]] = get_args(Rounding)
_TIES: Final[tuple[Ties, ...]] = get_args(Ties)
_ZERO_TIES: Final[tuple[ZeroTies, ...]] = get_args(ZeroTies)
_PRIORS: Final[tuple[Prior, ...]] = get_args(Prior)
_DENOMINATORS: Final[tuple[Denominator, ...]] = get_args(Denominator)
_DENOMINATOR_FALLBACKS: Final[tuple[DenominatorFallback, ...]] = get_args(DenominatorFallback)

_RULES_KEYS = (
    "format",
    "name",
    "title",
    "source",
    "city",
    "time_zone",
    "region",
    "when_k_is_zero",
    "satisfaction",
    "complaints",
    "evidence",
)
_SOURCE_KEYS = ("issuer", "document_number", "date", "basis", "reading")
_SATISFACTION_KEYS = (
    "share",
    "measure",
    "question",
    "valid_codes",
    "satisfied_codes",
    "index_points",
    "population",
    "period",
    "rounding",
    "ties",
    "minimum_responses",
)
_DOMAINS_KEY = "domains"
_MINIMUM_KEYS = ("least", "enough", "or_share_of_households")
_COMPLAINT_KEYS = (
    "share",
    "measure",
    "population",
    "period_months",
    "rounding",
    "ties",
    "zero_ties",
    "denominator",
    "denominator_fallback",
    "minimum_exposure",
    "large_boundary_block",
)
_EVIDENCE_KEYS = ("prior", "level", "nonresponse_spread", "one_answer_per_household")
_EVIDENCE_KEYS_2 = (*_EVIDENCE_KEYS, "modes", "design_effect", "repeat_complaints")

_PERCENT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%")
_FRACTION = re.compile(r"[0-9]+/0*[1-9][0-9]*")
# Python reads no number of more than 4300 digits, and nobody states one of more than a few.
_LONGEST_NUMBER = 40
_QUESTION = "q[0-9]{2,3}"
# Ten like answers of every household.
_LARGEST_DESIGN_EFFECT = 10
# Weighted points as whole numbers: their squares, summed over a million residents, stay below 2⁶³.
_LARGEST_COMPOSITE = 3_000_000
# Shares times counts stay far below 2⁶³.
_LARGEST_DENOMINATOR = 1_000_000


@dataclass(frozen=True)
class Source:
    """Official source of the rules, against which an objection is checked."""

    issuer: str
    document_number: str
    date: date
    basis: str
    reading: str


@dataclass(frozen=True)
class MinimumResponses:
    """Minimum responses for a community to be ranked: n ≥ least and (n ≥ enough or n ≥ share of the households)."""

    least: int
    enough: int
    or_share_of_households: Fraction


@dataclass(frozen=True)
class SatisfactionRule:
    """Rule of the satisfaction route.

    Attributes
    ----------
    share : Fraction
        Of the ranked communities, in (0, 1].
    measure : {"satisfaction_rate", "satisfaction_index", "composite"}
        The ranked measure, the highest first.
    question : str
        Key of the question of rate and index in the questionnaire; with a composite they are only shown.
    domains : mapping of str to Fraction
        Weight of each question in a composite; the sum is 1. A resident's composite is the weighted mean of the points
        of the answered questions, if their weights add up to at least half. Empty for the other measures.
    valid_codes, satisfied_codes : tuple of int
        Codes of valid answers, and of satisfied ones.
    index_points : mapping of int to Fraction
        Points of each valid code, from 0 to 100.
    population : {"owners", "residents"}
        Whose answers count. The caller counts them: tables hold only counts of this population.
    rounding : {"floor", "ceil", "at_least_one"}
        How share × N becomes a whole number k; `at_least_one` is floor, and 1 where floor gives 0.
    ties : {"include", "exclude"}
        Whether communities tied across the k-th position all meet the criterion, or none of them.
    minimum_responses : MinimumResponses or None
        None: every community with an answer is ranked.
    """

    share: Fraction
    measure: Measure
    question: str
    domains: Mapping[str, Fraction]
    valid_codes: tuple[int, ...]
    satisfied_codes: tuple[int, ...]
    index_points: Mapping[int, Fraction]
    population: Population
    rounding: Rounding
    ties: Ties
    minimum_responses: MinimumResponses | None


@dataclass(frozen=True)
class ComplaintRule:
    """Rule of the complaint route.

    Attributes
    ----------
    share : Fraction
        Of the ranked communities, in (0, 1].
    period_months : int
        Length of the period that ends at the cut-off.
    rounding : {"floor", "ceil", "at_least_one"}
        How share × N becomes a whole number k.
    ties : {"include", "exclude"}
        Whether communities tied across the k-th position all meet the criterion, or none of them.
    zero_ties : {"include", "exclude", "by_exposure", "undecidable"}
        The same for communities without complaints; `by_exposure` ranks more household-years first, `undecidable`
        leaves them not assessed if they are tied across the k-th position.
    denominator, denominator_fallback : str
        Which households count, and which if those are unknown. The caller counts them.
    minimum_exposure : Fraction
        Household-years below which a community is not ranked.
    large_boundary_block : str or None
        The written decision that lets the tie rule apply to more than 2k communities tied across the k-th position.
    """

    share: Fraction
    period_months: int
    rounding: Rounding
    ties: Ties
    zero_ties: ZeroTies
    denominator: Denominator
    denominator_fallback: DenominatorFallback
    minimum_exposure: Fraction
    large_boundary_block: str | None


@dataclass(frozen=True)
class EvidenceRule:
    """Settings for the evidence on a decision. No decision depends on them.

    Attributes
    ----------
    prior : {"normal", "nonparametric"}
        Prior distribution of the true scores of a region, for `analytics.statistics.empirical_bayes`.
    level : Fraction
        Confidence of the intervals and of the sets of ranks, from 1/2 to below 1.
    nonresponse_spread : Fraction
        ω in [0, 1], as a share of the range of the score: the standard deviation, over communities, of the difference
        between respondents and non-respondents. An assumption of the rules, not an estimate.
    one_answer_per_household : bool
        Whether each household answers at most once, as with household codes. Only then do the households without an
        answer limit the possible range (finite population correction); posters cannot guarantee it.
    design_effect : Fraction
        At least 1: variance of a score of answers through posters ÷ that of as many households, where no table says how
        alike the answers of one household are. An assumption. 1 in files of format 1, which do not state it.
    repeat_complaints : Fraction
        In [0, 1): share of the complaints whose household had complained before in the period, where no table counts
        the complaining households. An assumption. 0 in files of format 1, which do not state it.
    """

    prior: Prior
    level: Fraction
    nonresponse_spread: Fraction
    one_answer_per_household: bool
    design_effect: Fraction
    repeat_complaints: Fraction


@dataclass(frozen=True)
class Rules:
    """All rules of one rule file: everything that a decision depends on.

    Attributes
    ----------
    format : {"jiayuan-rules-1", "jiayuan-rules-2"}
    region : {"district", "city"}
        Which communities are ranked together: the official 当地.
    when_k_is_zero : {"not_applicable", "wider_region"}
        What happens if the region is too small for the share to give one position.
    content : bytes
        The file, byte for byte.
    """

    format: str
    name: str
    title: Wording
    source: Source
    city: Wording
    time_zone: str
    region: Region
    when_k_is_zero: WhenKIsZero
    satisfaction: SatisfactionRule
    complaints: ComplaintRule
    evidence: EvidenceRule
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, byte for byte."""
        return sha256_hex(self.content)


def load_rules(path: Path) -> Rules:
    """Read and parse the rule file at `path`.

    Parameters
    ----------
    path : Path
        A rule file, ``data/rules/<city or district>/<date>.yaml``.

    Returns
    -------
    Rules

    Raises
    ------
    DocumentError
        With every fault of the file.
    OSError
        If the file cannot be read.
    """
    return parse_rules(path.read_bytes(), str(path))


def parse_rules(content: bytes, source: str) -> Rules:
    """Parse the content of a rule file.

    Parameters
    ----------
    content : bytes
        A YAML file in UTF-8. Every key is required and no other is allowed, since a criterion that people may contest
        must have no defaults. Shares are text, ``5 %`` or ``1/20``.
    source : str
        Name of the file, for messages.

    Returns
    -------
    Rules

    Raises
    ------
    DocumentError
        With every fault of the file: its line, its column, its key and what is wrong.

    Examples
    --------
    >>> parse_rules(b"share: 0.05", "rules.yaml")
    Traceback (most recent call last):
        ...
    analytics.files.yaml_documents.DocumentError: rules.yaml:1:1: format: this key is missing
    ...
    """
    return _read(Document(content, source), content)


def parse_stored_rules(content: bytes, source: str = "stored rule file") -> Rules:
    """Parse a rule file that was issued, as files of its format were read when it was.

    Parameters
    ----------
    content : bytes
        A stored rule file.
    source : str
        Its name, for messages.

    Returns
    -------
    Rules

    Raises
    ------
    DocumentError
        As `parse_rules`.

    Notes
    -----
    What was decided by a file must follow from it for ever. `parse_rules`, which reads the files that people hand in,
    has become stricter since format 1 was issued: it refuses numbers that YAML 1.1 reads as others, such as ``030``,
    and text that only looks empty. Files of format 1 are read here without that; those of format 2 have no such past.

    Examples
    --------
    >>> content = Path("data/rules/wuhai/2021-08-23.yaml").read_bytes().replace(b"enough: 30", b"enough: 030")
    >>> parse_stored_rules(content).satisfaction.minimum_responses.enough
    24
    """
    lenient = Document(content, source, strict=False)
    if lenient.root.get("format") == FORMAT_2:
        return parse_rules(content, source)
    return _read(lenient, content)


def _read(document: Document, content: bytes) -> Rules:
    root = Node.root(document)
    root.expect_keys(_RULES_KEYS)
    stated = root["format"].choice((FORMAT_1, FORMAT_2))
    rules = Rules(
        format=stated,
        name=root["name"].name("[a-z0-9]+(-[a-z0-9]+)*"),
        title=root["title"].only_wording(),
        source=_read_source(root["source"]),
        city=root["city"].only_wording(),
        time_zone=_read_time_zone(root["time_zone"]),
        region=root["region"].choice(_REGIONS),
        when_k_is_zero=root["when_k_is_zero"].choice(_WHEN_K_IS_ZERO),
        satisfaction=_read_satisfaction(root["satisfaction"]),
        complaints=_read_complaints(root["complaints"]),
        evidence=_EVIDENCE_READERS[stated](root["evidence"]),
        content=content,
    )
    if rules.region == "city" and rules.when_k_is_zero == "wider_region":
        root["when_k_is_zero"].fault("no region is wider than the city: this must be not_applicable")
    document.raise_faults()
    return rules


def share_text(share: Fraction) -> str:
    """Format a share as files state it: as a percentage if that is exact, otherwise as a fraction.

    Examples
    --------
    >>> share_text(Fraction(1, 20)), share_text(Fraction(1, 40)), share_text(Fraction(1, 30))
    ('5 %', '2.5 %', '1/30')
    """
    percent = share * 100
    for places in range(4):
        if (percent * 10**places).denominator == 1:
            return f"{float(percent):.{places}f} %"
    return str(share)


def share_words(share: Fraction) -> str:
    """Format a share as sentences hold it; `share_text` is what rule files and results state.

    Examples
    --------
    >>> share_words(Fraction(1, 20)), share_words(Fraction(1, 30))
    ('5%', '1/30')
    """
    return share_text(share).replace(" ", "")


def _read_source(node: Node) -> Source:
    node.expect_keys(_SOURCE_KEYS)
    return Source(
        issuer=node["issuer"].text(),
        document_number=node["document_number"].text(),
        date=node["date"].day(),
        basis=node["basis"].text(),
        reading=node["reading"].text(),
    )


def _read_time_zone(node: Node) -> str:
    name = node.text()
    try:
        if name:
            ZoneInfo(name)
    except (OSError, KeyError, ValueError):  # zoneinfo raises a different error for each kind of wrong name
        node.fault("there is no time zone {name}; one is Asia/Shanghai", name=name)
    return name


def _read_satisfaction(node: Node) -> SatisfactionRule:
    node.expect_keys(_SATISFACTION_KEYS, [_DOMAINS_KEY])
    node["period"].expect("round")
    valid_codes = _read_codes(node["valid_codes"])
    satisfied_codes = _read_codes(node["satisfied_codes"])
    for index, code in enumerate(satisfied_codes):
        if valid_codes and code not in valid_codes:
            node["satisfied_codes"].items()[index].fault("code {code} is not among the valid codes", code=code)
    measure = node["measure"].choice(_MEASURES)
    points = _read_points(node["index_points"], valid_codes)
    return SatisfactionRule(
        share=read_share(node["share"]),
        measure=measure,
        question=node["question"].name(_QUESTION),
        domains=_read_domains(node[_DOMAINS_KEY], measure, points),
        valid_codes=valid_codes,
        satisfied_codes=satisfied_codes,
        index_points=points,
        population=node["population"].choice(_POPULATIONS),
        rounding=node["rounding"].choice(_ROUNDINGS),
        ties=node["ties"].choice(_TIES),
        minimum_responses=_read_minimum(node["minimum_responses"]),
    )


def _read_codes(node: Node) -> tuple[int, ...]:
    items = node.items(least=1)
    note_repeats(items, N_("code {value} stands here twice"))
    return tuple(item.integer(0, 999) for item in items)


def _read_points(node: Node, valid_codes: tuple[int, ...]) -> Mapping[int, Fraction]:
    points: dict[int, Fraction] = {}
    if not isinstance(node.value, dict):
        if node.exists:
            node.fault("this must hold keys with values")
        return MappingProxyType(points)
    for code, value in node.value.items():
        entry = Node(node.document, (*node.path, code), value)
        if code not in valid_codes:
            entry.fault("code {code} is not among the valid codes", code=code)
        points[code] = _read_exact(entry)
        if not 0 <= points[code] <= 100:
            entry.fault("points lie between 0 and 100, these are {points}", points=points[code])
    for code in valid_codes:
        if code not in points:
            node.fault("code {code} has no points", code=code)
    if len(set(points.values())) == 1 and len(points) > 1:
        node.fault("all codes have the same points")
    return MappingProxyType(points)


def _read_domains(node: Node, measure: Measure, points: Mapping[int, Fraction]) -> Mapping[str, Fraction]:
    if measure != "composite":
        if node.exists:
            node.fault("only the measure composite has domains")
        return MappingProxyType({})
    if not node.exists:
        node.fault("this key is missing")
    weights: dict[str, Fraction | None] = {}
    for key, entry in node.entries():
        if not re.fullmatch(_QUESTION, key):
            entry.fault("{text!r} does not have the form {pattern}", text=key, pattern=_QUESTION)
        weights[key] = _read_part(entry)
        if weights[key] == 0:
            entry.fault("a domain that weighs nothing is none")
    known = {key: weight for key, weight in weights.items() if weight is not None}
    if isinstance(node.value, dict) and len(known) == len(weights):
        _check_weights(node, known, points)
    return MappingProxyType(known)


def _check_weights(node: Node, weights: Mapping[str, Fraction], points: Mapping[int, Fraction]) -> None:
    if len(weights) < 2:
        node.fault("a composite has at least two domains")
    total = sum(weights.values(), Fraction(0))
    if total != 1:
        node.fault("the weights add up to {total}, not to 100 %", total=share_text(total))
    units = math.lcm(*(weight.denominator for weight in weights.values()))
    parts = math.lcm(*(value.denominator for value in points.values()))
    if units * parts * max(points.values(), default=Fraction(0)) > _LARGEST_COMPOSITE:
        node.fault("the weights and points have too large denominators: round them")


def _read_minimum(node: Node) -> MinimumResponses | None:
    if node.value == "none" or not node.exists:
        return None
    if not isinstance(node.value, dict):
        node.fault("this must be none or hold {keys}", keys=", ".join(_MINIMUM_KEYS))
        return None
    node.expect_keys(_MINIMUM_KEYS)
    minimum = MinimumResponses(
        least=node["least"].integer(1, 1_000_000),
        enough=node["enough"].integer(1, 1_000_000),
        or_share_of_households=read_share(node["or_share_of_households"]),
    )
    if node["enough"].exists and minimum.enough < minimum.least:
        node["enough"].fault(
            "{enough} answers cannot be enough where {least} are the least",
            enough=minimum.enough,
            least=minimum.least,
        )
    return minimum


def _read_complaints(node: Node) -> ComplaintRule:
    node.expect_keys(_COMPLAINT_KEYS)
    node["measure"].expect("valid_complaints_per_1000_household_years")
    node["population"].expect("all_residents")
    denominator = node["denominator"].choice(_DENOMINATORS)
    fallback = node["denominator_fallback"].choice(_DENOMINATOR_FALLBACKS)
    if denominator == fallback:
        node["denominator_fallback"].fault("the fallback is the denominator itself: this must be none")
    minimum_exposure = _read_exact(node["minimum_exposure"])
    if minimum_exposure < 0:
        node["minimum_exposure"].fault("this cannot be negative")
    block = node["large_boundary_block"].text()
    return ComplaintRule(
        share=read_share(node["share"]),
        period_months=node["period_months"].integer(1, 120),
        rounding=node["rounding"].choice(_ROUNDINGS),
        ties=node["ties"].choice(_TIES),
        zero_ties=node["zero_ties"].choice(_ZERO_TIES),
        denominator=denominator,
        denominator_fallback=fallback,
        minimum_exposure=minimum_exposure,
        large_boundary_block=None if block == "none" else block,
    )


def _read_evidence_1(node: Node) -> EvidenceRule:
    node.expect_keys(_EVIDENCE_KEYS)
    return _evidence(node, design_effect=Fraction(1), repeat_complaints=Fraction(0))


def _read_evidence_2(node: Node) -> EvidenceRule:
    node.expect_keys(_EVIDENCE_KEYS_2)
    node["modes"].expect("pooled")
    effect = _exact(node["design_effect"])
    if effect is not None and not 1 <= effect <= _LARGEST_DESIGN_EFFECT:
        node["design_effect"].fault(
            "a design effect lies between 1 and {most}, this is {value}",
            most=_LARGEST_DESIGN_EFFECT,
            value=node["design_effect"].value,
        )
    repeats = _read_part(node["repeat_complaints"])
    if repeats is not None and repeats >= 1:
        node["repeat_complaints"].fault(
            "a share of repeat complaints is below 100 %, this is {value}", value=node["repeat_complaints"].value
        )
    return _evidence(node, design_effect=effect or Fraction(1), repeat_complaints=repeats or Fraction(0))


_EVIDENCE_READERS: Final[Mapping[str, Callable[[Node], EvidenceRule]]] = MappingProxyType(
    {FORMAT_1: _read_evidence_1, FORMAT_2: _read_evidence_2}
)


def _evidence(node: Node, *, design_effect: Fraction, repeat_complaints: Fraction) -> EvidenceRule:
    """Return the settings that both formats state, with the given others."""
    level = _read_part(node["level"])
    if level is not None and not Fraction(1, 2) <= level < 1:
        node["level"].fault("a level is at least 50 % and below 100 %, this is {value}", value=node["level"].value)
    spread = _read_part(node["nonresponse_spread"])
    if spread is not None and spread > 1:
        node["nonresponse_spread"].fault(
            "a spread is at most 100 %, this is {value}", value=node["nonresponse_spread"].value
        )
    return EvidenceRule(
        prior=node["prior"].choice(_PRIORS),
        level=level if level is not None else Fraction(1, 2),
        nonresponse_spread=spread if spread is not None else Fraction(0),
        one_answer_per_household=node["one_answer_per_household"].flag(),
        design_effect=design_effect,
        repeat_complaints=repeat_complaints,
    )


def read_share(node: Node) -> Fraction:
    """Return the share that a file states, exactly as written.

    Parameters
    ----------
    node : Node
        Its value is text such as ``5 %`` or ``1/20``.

    Returns
    -------
    Fraction
        In (0, 1]; 1 if it cannot be read, which is recorded as a fault of the file unless the key is missing.

    Examples
    --------
    >>> document = Document(b"share: 2.5 %", "rules.yaml")
    >>> read_share(Node.root(document)["share"])
    Fraction(1, 40)
    """
    share = _read_part(node)
    if share is None:
        return Fraction(1)
    if not 0 < share <= 1:
        node.fault("a share lies above 0 and is at most 100 %, this is {value}", value=node.value)
        return Fraction(1)
    if share.denominator > _LARGEST_DENOMINATOR:
        node.fault("the denominator of a share is at most 1,000,000; this is {value}", value=node.value)
    return share


def _read_part(node: Node) -> Fraction | None:
    """Read a fraction exactly as written, since 0.07 as a float is a little more than 7 %. None if unreadable."""
    if not node.exists:
        return None
    text = unicodedata.normalize("NFKC", node.value).strip() if isinstance(node.value, str) else ""
    percent = _PERCENT.fullmatch(text)
    if percent and len(text) <= _LONGEST_NUMBER:
        return Fraction(percent[1]) / 100
    if _FRACTION.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
        return Fraction(text)
    node.fault("a share is written as “5 %” or “1/20”, so that it is exact; this is {value!r}", value=node.value)
    return None


def _read_exact(node: Node) -> Fraction:
    """Return a whole number or a fraction, 0 if it is unreadable."""
    exact = _exact(node)
    return exact if exact is not None else Fraction(0)


def _exact(node: Node) -> Fraction | None:
    """Read a whole number or a fraction. None if unreadable."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return Fraction(node.value)
    text = node.value.strip() if isinstance(node.value, str) else ""
    if _FRACTION.fullmatch(text) and len(text) <= _LONGEST_NUMBER:
        return Fraction(text)
    if node.exists:
        node.fault("this must be a whole number or a fraction such as 200/3, it is {value!r}", value=node.value)
    return None
