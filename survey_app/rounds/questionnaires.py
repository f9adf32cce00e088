"""Questionnaire definitions, checked when they are read, and answers, checked against their definition."""

import re
import string
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path

from analytics.canonical import canonical_json, sha256_hex
from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node, note_repeats
from analytics.languages import LANGUAGES, Wording
from survey_app.attachments.kinds import PHOTO
from survey_app.models.vocabulary import Tenure
from survey_app.security.text import clean_text

FORMAT = "jiayuan-questionnaire-1"

_QUESTION_KEY = "q[0-9]{2,3}"

NOTICE_PLACEHOLDERS = ("bureau", "telephone", "evaluator", "date", "link")
"""Placeholders of a privacy notice, which the site fills in: each stands in it exactly once, in braces."""

_OPTIONAL_PLACEHOLDERS = ("telephone", "evaluator", "date")

Answer = int | list[int] | str


class QuestionType(StrEnum):
    """Type of a question: how it is answered."""

    RATING = "rating"
    SINGLE = "single"
    MULTI = "multi"
    ZERO_TO_TEN = "zero_to_ten"
    TEXT = "text"
    PHOTO = "photo"


class AnswerReason(StrEnum):
    """Reason why an answer cannot be stored."""

    REQUIRED = "required"
    UNKNOWN_CODE = "unknown_code"
    NOT_A_NUMBER = "not_a_number"
    TOO_LONG = "too_long"
    SEVERAL_FOR_SINGLE = "several_for_single"
    UNKNOWN_QUESTION = "unknown_question"


@dataclass(frozen=True)
class Option:
    """Answer option. A `missing` one (don't know, can't recall) is stored and is no valid answer."""

    code: int
    label: Wording
    missing: bool

    @property
    def data(self) -> dict[str, object]:
        return {"code": self.code, **self.label.data, "missing": self.missing}


@dataclass(frozen=True)
class Scale:
    """Answer scale: options shared by several questions."""

    key: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class ScaleEndLabels:
    """Labels of 0 and 10 on a numeric scale; the numbers between speak for themselves."""

    zero: Wording
    ten: Wording

    @property
    def data(self) -> dict[str, object]:
        return {"zero": self.zero.data, "ten": self.ten.data}


@dataclass(frozen=True)
class Condition:
    """Display condition: an earlier question and the codes of which one must have been chosen."""

    question: str
    codes: tuple[int, ...]


@dataclass(frozen=True)
class Question:
    """Question. A `domain` is an aspect of service; only domains in the `composite` count towards it."""

    key: str
    type: QuestionType
    label: Wording
    short: Wording
    required: bool
    options: tuple[Option, ...]
    scale: str | None
    ends: ScaleEndLabels | None
    max_length: int | None
    most_photos: int | None
    domain: str | None
    composite: bool
    show_if: tuple[Condition, ...]

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(option.code for option in self.options)

    @cached_property
    def code_by_text(self) -> Mapping[str, int]:
        """The codes by how a form sends them, which are looked up for every question of every answer."""
        return {str(code): code for code in self.codes}

    @property
    def condition_data(self) -> dict[str, list[int]]:
        """The conditions as plain data: all questions must have one of their codes; empty if always shown."""
        return {condition.question: list(condition.codes) for condition in self.show_if}

    @property
    def data(self) -> dict[str, object]:
        every: dict[str, object] = {
            "key": self.key,
            "type": self.type.value,
            "label": self.label.data,
            "short": self.short.data,
            "required": self.required,
        }
        if self.scale is not None:
            every["scale"] = self.scale
        elif self.ends is not None:
            every["ends"] = self.ends.data
            for option in self.options:
                if option.missing:
                    every["dont_know"] = option.label.data
        elif self.options:
            every["options"] = [option.data for option in self.options]
        if self.max_length is not None:
            every["max_length"] = self.max_length
        if self.most_photos is not None:
            every["most_photos"] = self.most_photos
        if self.domain is not None:
            every |= {"domain": self.domain, "composite": self.composite}
        if self.show_if:
            every["show_if"] = self.condition_data
        return every


@dataclass(frozen=True)
class Section:
    """Section of questions that share a heading and a step on the phone."""

    key: str
    heading: Wording
    questions: tuple[Question, ...]

    @property
    def data(self) -> dict[str, object]:
        return {
            "key": self.key,
            "heading": self.heading.data,
            "questions": [question.data for question in self.questions],
        }


@dataclass(frozen=True)
class Notice:
    """Short privacy notice, in one version for household codes and one for posters only."""

    household: Wording
    poster: Wording


@dataclass(frozen=True)
class RetiredCodes:
    """Codes of earlier versions that are no longer asked: no later version may give them another meaning."""

    questions: tuple[str, ...]
    options: tuple[tuple[str, tuple[int, ...]], ...]
    """Codes by question, for choices that are no longer offered there."""

    @property
    def data(self) -> dict[str, object]:
        """Return the key of a file, or nothing where nothing was retired."""
        if not self.questions and not self.options:
            return {}
        options = {question: list(codes) for question, codes in self.options}
        return {"retired": {"questions": list(self.questions), "options": options}}

    def codes_of(self, question: str) -> tuple[int, ...]:
        return dict(self.options).get(question, ())


@dataclass(frozen=True)
class Complained:
    """Question and code by which residents say that they complained within a year."""

    question: str
    code: int

    @property
    def data(self) -> dict[str, object]:
        return {"question": self.question, "code": self.code}


@dataclass(frozen=True)
class AnswerFault:
    """Fault of one answer: why it was not taken."""

    question: str
    reason: AnswerReason


@dataclass(frozen=True)
class CheckedAnswers:
    """Checked answers that can be stored, and the faults of others: a response is recorded only if there are none."""

    answers: dict[str, Answer]
    faults: tuple[AnswerFault, ...]

    @property
    def canonical_text(self) -> str:
        return canonical_json(self.answers)


@dataclass(frozen=True)
class Questionnaire:
    """Questionnaire of one version; `comparable_with` names the earlier versions whose results may stand beside."""

    key: str
    version: int
    title: Wording
    comparable_with: tuple[int, ...]
    retired: RetiredCodes
    reworded: tuple[str, ...]
    tenure: str
    complained: Complained | None
    notice: Notice
    scales: tuple[Scale, ...]
    sections: tuple[Section, ...]

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for section in self.sections for question in section.questions)

    @cached_property
    def number_by_key(self) -> Mapping[str, int]:
        """Return the number that residents and staff see before each question: on phones, on paper, for typing in."""
        return {question.key: number for number, question in enumerate(self.questions, 1)}

    @cached_property
    def photo_questions(self) -> tuple[Question, ...]:
        """Return the questions that are answered with photos: these are kept beside the answers, not among them."""
        return tuple(question for question in self.questions if question.type is QuestionType.PHOTO)

    @cached_property
    def canonical_text(self) -> str:
        """Return all content as canonical JSON: what is stored and hashed when the questionnaire is published."""
        return canonical_json(
            {
                "format": FORMAT,
                "key": self.key,
                "version": self.version,
                "title": self.title.data,
                "comparable_with": list(self.comparable_with),
                **self.retired.data,
                **({"reworded": list(self.reworded)} if self.reworded else {}),
                "tenure": self.tenure,
                **({"complained": self.complained.data} if self.complained else {}),
                "notice": {"household": self.notice.household.data, "poster": self.notice.poster.data},
                "scales": {scale.key: [option.data for option in scale.options] for scale in self.scales},
                "sections": [section.data for section in self.sections],
            }
        )

    @cached_property
    def sha256(self) -> str:
        return sha256_hex(self.canonical_text)

    @cached_property
    def asked_about_complaints(self) -> Mapping[str, tuple[int, ...]]:
        """Return by question the codes that tell whether somebody complained; nobody gives more than one of them.

        These are the valid ones of the question itself, and of those before it all that do not lead to it: whoever had
        no trouble, or recalls none, did not complain of it. Empty where the questionnaire does not ask.
        """
        if self.complained is None:
            return {}
        question = self.question(self.complained.question)
        telling = {question.key: tuple(option.code for option in question.options if not option.missing)}
        while question.show_if:
            [condition] = question.show_if
            question = self.question(condition.question)
            telling[question.key] = tuple(code for code in question.codes if code not in condition.codes)
        return telling

    @property
    def leading_to_complained(self) -> Mapping[str, tuple[int, ...]]:
        """Return by question, in order, the codes that lead to “I complained”, and that one itself; empty as above."""
        if self.complained is None:
            return {}
        question = self.question(self.complained.question)
        leading: dict[str, tuple[int, ...]] = {question.key: (self.complained.code,)}
        while question.show_if:
            [condition] = question.show_if
            question = self.question(condition.question)
            leading = {question.key: tuple(condition.codes), **leading}
        return leading

    def question(self, key: str) -> Question:
        """Return the question with this key, or raise `KeyError`."""
        return self._questions_by_key[key]

    @cached_property
    def _questions_by_key(self) -> dict[str, Question]:
        return {question.key: question for question in self.questions}

    def check_answers(self, raw: Mapping[str, Sequence[str]]) -> CheckedAnswers:
        """Return the storable answers in the values of a form, and what is wrong with the others; never raises.

        The questions are taken in their order, so that a condition sees only answers that were themselves asked and
        accepted. What stands under a question that is not shown is left out without a fault: without JavaScript a
        form shows every question, and a resident who answers one too many has done nothing wrong. Keys that cannot
        be questions (hidden fields of the form) are not looked at.
        """
        answers: dict[str, Answer] = {}
        faults: list[AnswerFault] = []
        for question in self.questions:
            if show(question, answers):
                answer, reasons = _READERS[question.type](question, raw.get(question.key, ()))
                if answer is not None:
                    answers[question.key] = answer
                elif question.required and not reasons:
                    reasons = [AnswerReason.REQUIRED]
                faults += [AnswerFault(question.key, reason) for reason in reasons]
        unknown = sorted(key for key in raw if key.startswith("q") and key not in self._questions_by_key)
        faults += [AnswerFault(key, AnswerReason.UNKNOWN_QUESTION) for key in unknown]
        return CheckedAnswers(answers, tuple(faults))


def show(question: Question, answers: Mapping[str, Answer]) -> bool:
    """Return whether `question` is asked, given the answers to the questions before it."""
    for condition in question.show_if:
        answer = answers.get(condition.question)
        chosen = answer if isinstance(answer, list) else [answer]
        if not any(code in chosen for code in condition.codes):
            return False
    return True


_Reading = tuple[Answer | None, list[AnswerReason]]


def _read_codes(question: Question, values: Sequence[str]) -> tuple[list[int], list[AnswerReason]]:
    # Codes are looked up as text, never converted: int() takes digits of any script and fails on very long ones.
    code_by_text = question.code_by_text
    given = {value.strip() for value in values} - {""}
    if given <= code_by_text.keys():
        return sorted(code_by_text[text] for text in given), []
    reasons = {
        AnswerReason.UNKNOWN_CODE if text.isascii() and text.isdigit() else AnswerReason.NOT_A_NUMBER
        for text in given - code_by_text.keys()
    }
    return sorted(code_by_text[text] for text in given & code_by_text.keys()), sorted(reasons)


def _read_single(question: Question, values: Sequence[str]) -> _Reading:
    codes, reasons = _read_codes(question, values)
    if len(codes) > 1:
        reasons = [*reasons, AnswerReason.SEVERAL_FOR_SINGLE]
    return (codes[0], []) if codes and not reasons else (None, reasons)


def _read_multi(question: Question, values: Sequence[str]) -> _Reading:
    codes, reasons = _read_codes(question, values)
    return (codes, []) if codes and not reasons else (None, reasons)


def _read_text(question: Question, values: Sequence[str]) -> _Reading:
    texts = [text for text in map(clean_text, values) if text]
    if len(texts) > 1:
        return None, [AnswerReason.SEVERAL_FOR_SINGLE]
    if texts and question.max_length is not None and len(texts[0]) > question.max_length:
        return None, [AnswerReason.TOO_LONG]
    return (texts[0] if texts else None), []


def _read_nothing(_question: Question, _values: Sequence[str]) -> _Reading:
    # Photos come as files: a browser that sends none may send an empty text under the same name.
    return None, []


_READERS: Mapping[QuestionType, Callable[[Question, Sequence[str]], _Reading]] = {
    QuestionType.RATING: _read_single,
    QuestionType.SINGLE: _read_single,
    QuestionType.MULTI: _read_multi,
    QuestionType.ZERO_TO_TEN: _read_single,
    QuestionType.TEXT: _read_text,
    QuestionType.PHOTO: _read_nothing,
}


def load_questionnaire(path: Path) -> Questionnaire:
    """Return the questionnaire in the file at `path`."""
    return parse_questionnaire(path.read_bytes(), str(path))


def parse_questionnaire(content: bytes, source: str) -> Questionnaire:
    """Return the questionnaire in a YAML file, or raise `DocumentError` with every fault of the file."""
    document = Document(content, source)
    questionnaire = read_questionnaire(Node.root(document))
    document.raise_faults()
    return questionnaire


def read_questionnaire(root: Node) -> Questionnaire:
    """Return the questionnaire in a document, after noting its faults there."""
    root.expect_keys(
        ("format", "key", "version", "title", "comparable_with", "tenure", "notice", "scales", "sections"),
        ("retired", "reworded", "complained"),
    )
    root["format"].expect(FORMAT)
    scales = _read_scales(root["scales"])
    sections = _read_sections(root["sections"], {scale.key: scale for scale in scales})
    version = root["version"].integer(1, 999)
    questionnaire = Questionnaire(
        key=root["key"].name("[a-z][a-z0-9-]*"),
        version=version,
        title=root["title"].only_wording(),
        comparable_with=_read_comparable(root["comparable_with"], version),
        retired=_read_retired(root["retired"]),
        reworded=tuple(sorted(item.text() for item in root["reworded"].items())),
        tenure=root["tenure"].text(),
        complained=_read_complained(root["complained"]),
        notice=_read_notice(root["notice"]),
        scales=scales,
        sections=sections,
    )
    _check_tenure(root["tenure"], questionnaire.questions)
    _check_complained(root["complained"], questionnaire)
    _check_retired(root, questionnaire)
    _check_photos(root["sections"], questionnaire)
    return questionnaire


@lru_cache(maxsize=32)
def questionnaire_from_canonical(text: str) -> Questionnaire:
    """Return the questionnaire whose `canonical_text` was stored; read once per process and version."""
    # JSON is YAML, and the content has the keys of the file: one schema, one reader.
    return parse_questionnaire(text.encode("utf-8"), "canonical text")


def driver_questions(questionnaire: Questionnaire, overall: str) -> list[str]:
    """Return the questions whose association with the overall one is looked at: the rated domains."""
    return [
        question.key
        for question in questionnaire.questions
        if question.domain is not None and question.type is QuestionType.RATING and question.key != overall
    ]


def _read_comparable(node: Node, version: int) -> tuple[int, ...]:
    earlier = node.items()
    note_repeats(earlier, "version {value} stands here twice")
    versions = [item.integer(1, 999) for item in earlier]
    for item, number in zip(earlier, versions, strict=True):
        if number >= version:
            item.fault("version {number} is not earlier than this version, {version}", number=number, version=version)
    return tuple(sorted(versions))


def _read_retired(node: Node) -> RetiredCodes:
    if node.exists:
        node.expect_keys(("questions", "options"))
    questions = [item.name(_QUESTION_KEY) for item in node["questions"].items()]
    options = [
        (question, tuple(sorted(item.integer(0, 999) for item in codes.items(least=1))))
        for question, codes in node["options"].entries()
    ]
    return RetiredCodes(tuple(sorted(questions)), tuple(sorted(options)))


def _check_retired(root: Node, questionnaire: Questionnaire) -> None:
    """Note a fault wherever the file still asks what it calls retired, and at what it calls reworded but has not."""
    asked = {question.key: question for question in questionnaire.questions}
    for item in root["retired"]["questions"].items():
        if item.value in asked:
            item.fault("question {question} is retired and asked", question=item.value)
    for key, codes in root["retired"]["options"].entries():
        for item in codes.items():
            if key in asked and item.value in asked[key].codes:
                item.fault("code {code} of question {question} is retired and offered", code=item.value, question=key)
    for item in root["reworded"].items():
        if item.value not in asked:
            item.fault("there is no question {question}", question=item.value)


def _check_photos(node: Node, questionnaire: Questionnaire) -> None:
    asked = sum(question.most_photos or 0 for question in questionnaire.photo_questions)
    if asked > PHOTO.most_per_form:
        node.fault("a form asks for at most {most} photos, these are {asked}", most=PHOTO.most_per_form, asked=asked)


def _read_complained(node: Node) -> Complained | None:
    if not node.exists:
        return None
    node.expect_keys(("question", "code"))
    return Complained(question=node["question"].text(), code=node["code"].integer(0, 999))


def _check_complained(node: Node, questionnaire: Questionnaire) -> None:
    """Note a fault unless counts alone tell who was asked: by single codes, along one condition after another."""
    asked = {question.key: question for question in questionnaire.questions}
    key, code = node["question"].value, node["code"].value
    if questionnaire.complained is None or not isinstance(key, str):
        return
    if key not in asked:
        node["question"].fault("there is no question {question}", question=key)
        return
    question = asked[key]
    if question.type is not QuestionType.SINGLE:
        node["question"].fault("question {question} must be one of type single", question=key)
    elif isinstance(code, int) and code not in [option.code for option in question.options if not option.missing]:
        node["code"].fault("code {code} of question {question} is no valid answer", code=code, question=key)
    while question.show_if:
        if len(question.show_if) > 1:
            node["question"].fault(
                "question {question} has several conditions: counts do not tell who was asked", question=question.key
            )
        # A condition that is no earlier question is a fault of its own, and might lead round in circles.
        before = asked.pop(question.key) and asked.get(question.show_if[0].question)
        if before is None:
            return
        question = before
        if question.type is QuestionType.MULTI:
            node["question"].fault(
                "question {question} takes several answers: counts do not tell who was asked", question=question.key
            )


def _read_notice(node: Node) -> Notice:
    node.expect_keys(("household", "poster"))
    notice = Notice(household=node["household"].only_wording(), poster=node["poster"].only_wording())
    for variant in (node["household"], node["poster"]):
        for language in LANGUAGES:
            _check_placeholders(variant[language])
    return notice


def _check_placeholders(node: Node) -> None:
    if not isinstance(node.value, str):
        return
    try:
        parts = list(string.Formatter().parse(node.value))
    except ValueError:
        node.fault("a brace has no partner")
        return
    found = [f"{name}{':' if spec else ''}{spec}" for _, name, spec, _ in parts if name is not None]
    for name in NOTICE_PLACEHOLDERS:
        if found.count(name) != 1:
            node.fault("{placeholder} must stand here exactly once", placeholder=f"{{{name}}}")
    for name in _OPTIONAL_PLACEHOLDERS:
        if name in found and not re.search(rf"\[[^\[\]]*{{{name}}}[^\[\]]*\]", node.value):
            node.fault(
                "{placeholder} must stand in brackets with what is left out when it is not known",
                placeholder=f"{{{name}}}",
            )
    for name in found:
        if name not in NOTICE_PLACEHOLDERS:
            node.fault("{placeholder} is not known here", placeholder=f"{{{name}}}")


def _read_scales(node: Node) -> tuple[Scale, ...]:
    scales = [Scale(key, _read_options(options)) for key, options in node.entries()]
    return tuple(sorted(scales, key=lambda scale: scale.key))


def _read_options(node: Node) -> tuple[Option, ...]:
    nodes = node.items(least=2)
    for option in nodes:
        option.expect_keys(("code",), (*LANGUAGES, "missing"))
    note_repeats((option["code"] for option in nodes), "code {value} stands here twice")
    for language in LANGUAGES:
        note_repeats((option[language] for option in nodes), "“{value}” stands here twice")
    return tuple(
        Option(code=option["code"].integer(0, 999), label=option.wording(), missing=option["missing"].flag())
        for option in nodes
    )


def _read_sections(node: Node, scales: Mapping[str, Scale]) -> tuple[Section, ...]:
    nodes = node.items(least=1)
    question_nodes = [section["questions"].items(least=1) for section in nodes]
    every_question = [question for questions in question_nodes for question in questions]
    note_repeats((section["key"] for section in nodes), "section {value} stands here twice")
    note_repeats((question["key"] for question in every_question), "question {value} stands here twice")
    note_repeats((question["domain"] for question in every_question), "domain {value} stands here twice")
    keys = {question["key"].value for question in every_question if isinstance(question["key"].value, str)}
    earlier: dict[str, Question] = {}
    sections = []
    for section, questions in zip(nodes, question_nodes, strict=True):
        section.expect_keys(("key", "heading", "questions"))
        key, heading = section["key"].name("[a-z][a-z0-9_]*"), section["heading"].only_wording()
        read = []
        for question_node in questions:
            question = _read_question(question_node, scales, earlier, keys)
            earlier[question.key] = question
            read.append(question)
        sections.append(Section(key, heading, tuple(read)))
    for scale in scales.keys() - {question.scale for question in earlier.values()}:
        node.document.fault("no question uses this scale", ("scales", scale))
    return tuple(sections)


_KEYS_OF_EVERY_TYPE = ("key", "type", "label", "short")
_OPTIONAL_KEYS_OF_EVERY_TYPE = ("required", "show_if")
_KEYS_OF_TYPE = {
    QuestionType.RATING: ("scale",),
    QuestionType.SINGLE: ("options",),
    QuestionType.MULTI: ("options",),
    QuestionType.ZERO_TO_TEN: ("ends",),
    QuestionType.TEXT: ("max_length",),
    QuestionType.PHOTO: ("most_photos",),
}
_OPTIONAL_KEYS_OF_TYPE = {QuestionType.RATING: ("domain", "composite"), QuestionType.ZERO_TO_TEN: ("dont_know",)}

DONT_KNOW_OF_ZERO_TO_TEN = 99


def _read_question(
    node: Node, scales: Mapping[str, Scale], earlier: Mapping[str, Question], keys: Collection[str]
) -> Question:
    question_type = _read_type(node)
    scale = node["scale"].text() if node["scale"].exists else None
    if scale and scale not in scales:
        node["scale"].fault("there is no scale {scale}", scale=scale)
    if node["domain"].exists != node["composite"].exists:
        node.fault("domain and composite are stated together or not at all")
    if node["required"].flag() and node["show_if"].exists:
        # Without JavaScript it would stand on the page, marked as required, for people whom it does not concern.
        node["required"].fault("a question with a condition cannot be required")
    if node["required"].flag() and question_type is QuestionType.PHOTO:
        # One that cannot be read must not hold up the answers.
        node["required"].fault("a question for photos cannot be required")
    own_options = _read_options(node["options"]) if node["options"].exists else ()
    ends = _read_ends(node["ends"]) if node["ends"].exists else None
    if ends is not None:
        own_options = _numbers(node["dont_know"])
    return Question(
        key=node["key"].name(_QUESTION_KEY),
        type=question_type,
        label=node["label"].only_wording(),
        short=node["short"].only_wording(),
        required=node["required"].flag(),
        options=scales[scale].options if scale is not None and scale in scales else own_options,
        scale=scale,
        ends=ends,
        max_length=node["max_length"].integer(1, 5000) if node["max_length"].exists else None,
        most_photos=node["most_photos"].integer(1, PHOTO.most_per_question) if node["most_photos"].exists else None,
        domain=node["domain"].name("[a-z][a-z0-9_]*") if node["domain"].exists else None,
        composite=node["composite"].flag(),
        show_if=_read_conditions(node["show_if"], earlier, keys),
    )


def _read_ends(node: Node) -> ScaleEndLabels:
    node.expect_keys(("zero", "ten"))
    return ScaleEndLabels(zero=node["zero"].only_wording(), ten=node["ten"].only_wording())


def _numbers(dont_know: Node) -> tuple[Option, ...]:
    numbers = tuple(Option(number, Wording(str(number), str(number)), missing=False) for number in range(11))
    if not dont_know.exists:
        return numbers
    return (*numbers, Option(DONT_KNOW_OF_ZERO_TO_TEN, dont_know.only_wording(), missing=True))


def _read_type(node: Node) -> QuestionType:
    """Return the type of a question, after noting the keys that do not go with it."""
    name = node["type"].text()
    if name in set(QuestionType):
        required, optional = _KEYS_OF_TYPE[QuestionType(name)], _OPTIONAL_KEYS_OF_TYPE.get(QuestionType(name), ())
        node.expect_keys((*_KEYS_OF_EVERY_TYPE, *required), (*_OPTIONAL_KEYS_OF_EVERY_TYPE, *optional))
        return QuestionType(name)
    if name:
        known = ", ".join(QuestionType)
        node["type"].fault("there is no question type {name}; there are {known}", name=name, known=known)
    of_some_type = {key for keys in (*_KEYS_OF_TYPE.values(), *_OPTIONAL_KEYS_OF_TYPE.values()) for key in keys}
    node.expect_keys(_KEYS_OF_EVERY_TYPE, {*_OPTIONAL_KEYS_OF_EVERY_TYPE, *of_some_type})
    return QuestionType.TEXT


def _read_conditions(node: Node, earlier: Mapping[str, Question], keys: Collection[str]) -> tuple[Condition, ...]:
    conditions = []
    for key, codes_node in node.entries():
        code_nodes = codes_node.items(least=1)
        note_repeats(code_nodes, "code {value} stands here twice")
        codes = [code.integer(0, 999) for code in code_nodes]
        if key not in keys:
            codes_node.fault("there is no question {question}", question=key)
        elif key not in earlier:
            # Conditions are evaluated in the order of the questions.
            codes_node.fault("question {question} does not come before this one", question=key)
        elif earlier[key].type in (QuestionType.TEXT, QuestionType.PHOTO):
            codes_node.fault("question {question} has no codes", question=key)
        else:
            _check_codes(code_nodes, codes, earlier[key])
        conditions.append(Condition(key, tuple(sorted(codes))))
    return tuple(sorted(conditions, key=lambda condition: condition.question))


def _check_codes(nodes: Sequence[Node], codes: Sequence[int], question: Question) -> None:
    for node, code in zip(nodes, codes, strict=True):
        if question.options and code not in question.codes:
            node.fault("question {question} has no code {code}", question=question.key, code=code)


def _check_tenure(node: Node, questions: Sequence[Question]) -> None:
    """Note a fault unless the tenure of every respondent will be known: owners are ranked by themselves."""
    if not isinstance(node.value, str):
        return
    named = [question for question in questions if question.key == node.value]
    if not named:
        node.fault("there is no question {question}", question=node.value)
    elif named[0].type is not QuestionType.SINGLE or not named[0].required:
        node.fault("question {question} must be a required one of type single", question=node.value)
    elif sorted(named[0].codes) != list(Tenure):
        node.fault("question {question} must have the codes 1 owner, 2 tenant, 3 other", question=node.value)
