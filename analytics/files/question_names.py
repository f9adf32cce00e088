"""Short names of a questionnaire's questions, for tables and charts that would otherwise show their keys."""

from collections.abc import Mapping
from pathlib import Path

from analytics.files.yaml_documents import Document
from analytics.files.yaml_nodes import Node
from analytics.languages import Wording


def read_question_names(path: Path) -> Mapping[str, Wording]:
    """Read the short name of each question from a questionnaire file.

    Parameters
    ----------
    path : Path
        ``data/questionnaires/<name>-<version>.yaml``. Only the names are read; the site validates the rest.

    Returns
    -------
    mapping of str to Wording
        By the key of the question.

    Raises
    ------
    DocumentError
        With every fault of the names.
    OSError
        If the file cannot be read.

    Examples
    --------
    >>> names = read_question_names(Path("data/questionnaires/resident-satisfaction-1.yaml"))
    >>> names["q09"].en
    'Parking'
    """
    document = Document(path.read_bytes(), str(path))
    questions = [
        question for section in Node.root(document)["sections"].items() for question in section["questions"].items()
    ]
    names = {question["key"].text(): question["short"].only_wording() for question in questions}
    document.raise_faults()
    return names
