"""Versions of a questionnaire: a new one must not change the meaning of a code in those before it.

Results of several years stand in one table. A number there is read by its question and code alone, so that a code which
was taken over by another choice would silently turn old answers into new ones.
"""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from analytics.languages import N_
from survey_app.models import Questionnaire as Published
from survey_app.rounds.questionnaires import (
    Question,
    Questionnaire,
    QuestionType,
    questionnaire_from_canonical,
    read_questionnaire,
)


def published_versions(session: Session, *, key: str) -> list[Questionnaire]:
    """Return every published version of a questionnaire, the oldest first."""
    texts = session.scalars(select(Published.text).filter_by(key=key).order_by(Published.version))
    return [questionnaire_from_canonical(text) for text in texts]


def parse_successor(content: bytes, source: str, earlier: Sequence[Questionnaire]) -> Questionnaire:
    """Return the questionnaire in a file, or raise `DocumentError` with every fault, also against `earlier` versions.

    Only the versions before its own are compared. The first that is published here may name earlier ones of its
    publisher, which a new city never asked.
    """
    document = Document(content, source)
    root = Node.root(document)
    questionnaire = read_questionnaire(root)
    before = {other.version: other for other in earlier if other.version < questionnaire.version}
    for other in before.values():
        _note_other_meanings(root, questionnaire, other)
    for item in root["comparable_with"].items() if before else ():
        if not isinstance(item.value, int) or item.value not in before:
            item.fault("version {number} is not published", number=item.value)
        else:
            _note_differences(item, questionnaire, before[item.value])
    document.raise_faults()
    return questionnaire


def _note_other_meanings(root: Node, new: Questionnaire, earlier: Questionnaire) -> None:
    nodes = _question_nodes(root)
    for question in earlier.questions:
        if question.key in nodes:
            _note_other_meaning(nodes[question.key], question, new, earlier.version)
        elif question.key not in new.retired.questions:
            message = N_("question {question} of version {version} is neither asked nor retired")
            root["retired"].fault(message, question=question.key, version=earlier.version)
    for key in earlier.retired.questions:
        if key in nodes:
            message = N_("question {question} was retired in version {version}: give the new one another key")
            nodes[key]["key"].fault(message, question=key, version=earlier.version)
        elif key not in new.retired.questions:
            message = N_("question {question} of version {version} is neither asked nor retired")
            root["retired"].fault(message, question=key, version=earlier.version)
    for key, codes in earlier.retired.options:
        for code in codes if key in nodes else ():
            _note_return(nodes[key], key, code, new, earlier.version)


def _note_other_meaning(node: Node, was: Question, new: Questionnaire, version: int) -> None:
    now = new.question(was.key)
    if now.type is not was.type:
        message = N_("question {question} was of type {type} in version {version}: give the new one another key")
        node["type"].fault(message, question=was.key, type=was.type.value, version=version)
        return
    is_reworded = was.key in new.reworded
    if (now.label, now.ends) != (was.label, was.ends) and not is_reworded:
        message = N_(
            "question {question} read “{label}” in version {version}: give it another key, or list it under reworded "
            "if it means the same"
        )
        node["label"].fault(message, question=was.key, label=was.label.zh_hans, version=version)
    labels = {option.code: option for option in now.options}
    for option in was.options:
        facts = {"code": option.code, "question": was.key, "label": option.label.zh_hans, "version": version}
        if option.code in labels:
            if labels[option.code] != option and not is_reworded:
                message = N_(
                    "code {code} of question {question} meant “{label}” in version {version}: take another code"
                )
                node.fault(message, **facts)
        elif option.code not in new.retired.codes_of(was.key):
            message = N_(
                "code {code} of question {question}, “{label}” in version {version}, is neither offered nor retired"
            )
            node.fault(message, **facts)


def _note_return(node: Node, key: str, code: int, new: Questionnaire, version: int) -> None:
    if code in new.question(key).codes:
        message = N_("code {code} of question {question} was retired in version {version}: take another code")
    elif code not in new.retired.codes_of(key):
        message = N_("code {code} of question {question} was retired in version {version} and must stay under retired")
    else:
        return
    node.fault(message, code=code, question=key, version=version)


def _note_differences(node: Node, new: Questionnaire, earlier: Questionnaire) -> None:
    """Note what makes results incomparable: rated or required questions must have the same words and codes."""
    asked = {question.key: question for question in new.questions}
    for was in earlier.questions:
        if was.type is not QuestionType.RATING and not was.required:
            continue
        now = asked.get(was.key)
        if now is None:
            message = N_("version {version} is not comparable: it asks {question}, which this version does not")
        elif (now.label, now.options) != (was.label, was.options):
            message = N_("version {version} is not comparable: question {question} has other words or choices there")
        elif (now.domain, now.composite) != (was.domain, was.composite):
            message = N_("version {version} is not comparable: question {question} counts otherwise there")
        else:
            continue
        node.fault(message, version=earlier.version, question=was.key)


def _question_nodes(root: Node) -> dict[str, Node]:
    return {
        str(question["key"].value): question
        for section in root["sections"].items()
        for question in section["questions"].items()
    }
