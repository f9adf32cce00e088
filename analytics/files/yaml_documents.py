"""Text decoding (UTF-8, GB18030) and YAML parsing that locates every value and reports all faults of a file."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from analytics.languages import N_

GREATEST_NESTING_DEPTH: Final = 20
"""Greatest nesting depth of a YAML file."""

MOST_BYTES: Final = 256 * 1024
"""Largest YAML file, in bytes; a questionnaire of a hundred questions has sixty thousand."""

MOST_VALUES: Final = 10_000
"""Most values of a YAML file, lists and mappings among them; each takes a tenth of a millisecond."""

MOST_FAULTS: Final = 1000
"""Faults after which a file is read no further."""

_LONGEST_NUMBER = 40
_LONGEST_SHOWN = 200

_NUMBER_TAGS = frozenset({"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"})
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
# What some version of YAML, or a person, takes for a number: 030, 0o30, 0x1E, 0b11, 1:30, 1_000, .5, 1e3, .inf, .nan.
_LIKE_A_NUMBER = re.compile(
    r"""[-+]?(
        0[xX][0-9a-fA-F_]+ | 0[bB][01_]+ | 0[oO][0-7_]+
        | [0-9][0-9_]*(:[0-9_]+)+(\.[0-9_]*)?
        | ([0-9][0-9_]*(\.[0-9_]*)?|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?
        | \.(inf|nan)
    )""",
    re.VERBOSE | re.IGNORECASE,
)

_UTF16_BYTES = (b"\xff\xfe", b"\xfe\xff")
# Unassigned, private and control characters: they occur in wrongly decoded text, not in office documents.
_IMPOSSIBLE = frozenset({"Cn", "Co", "Cs", "Cc"})


@dataclass(frozen=True)
class Fault:
    """A fault in a file: its place, and a message template that can be translated."""

    message: str
    facts: Mapping[str, object] = field(default_factory=dict)
    key: str = ""
    line: int | None = None
    column: int | None = None

    def text(self, translate: Callable[[str], str] = str) -> str:
        """Return the sentence, translated; of a long value it shows the beginning."""
        return translate(self.message).format(**{name: _shown(value) for name, value in self.facts.items()})

    def located(self, translate: Callable[[str], str] = str) -> str:
        """Return line, column, key and the sentence, translated."""
        place = ":".join(str(part) for part in (self.line, self.column) if part is not None)
        return ": ".join(part for part in (place, _shortened(self.key), self.text(translate)) if part)

    def __str__(self) -> str:
        return self.located()


class DocumentError(ValueError):
    """Raised for a file that cannot be used, with every fault found in it.

    Attributes
    ----------
    source : str
        The file's name as the user gave it.
    faults : tuple of Fault
        In the order of the file.
    """

    def __init__(self, source: str, faults: Iterable[Fault]) -> None:
        self.source = source
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
        super().__init__("\n".join(self.lines()))

    def lines(self, translate: Callable[[str], str] = str) -> list[str]:
        """Return one line per fault, ``source:line:column: key: sentence``, the sentence translated."""
        source = _shortened(self.source)
        return [f"{source}:{fault.located(translate)}" for fault in self.faults]


def _shown(value: object) -> object:
    """Return what a sentence shows of a value: a file of megabytes may hold it."""
    if isinstance(value, str):
        return _shortened(value)
    if isinstance(value, int):
        # Python refuses to write out a number of more digits.
        return value if value.bit_length() < _LONGEST_SHOWN else "…"
    if isinstance(value, list | tuple | dict):
        text = "…" if len(value) > _LONGEST_SHOWN else repr(value)
        return value if len(text) <= _LONGEST_SHOWN else _shortened(text)
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def decode_text(content: bytes, source: str) -> str:
    """Decode UTF-8, with or without byte order mark, or GB18030; raise `DocumentError` if it is neither.

    Almost any bytes are valid GB18030, so a damaged UTF-8 file would decode to other Chinese characters. Text that is
    mostly valid UTF-8 is therefore never tried as GB18030.
    """
    if content.startswith(_UTF16_BYTES):
        raise DocumentError(source, [Fault("this is UTF-16 text: save it as “CSV UTF-8” or .xlsx")])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        attempt = content.decode("utf-8-sig", errors="replace")
        broken = attempt.count("\N{REPLACEMENT CHARACTER}")
        if len(attempt) - len(attempt.encode("ascii", errors="ignore")) > 2 * broken:
            raise DocumentError(source, [_encoding_fault(content, error.start, "UTF-8")]) from error
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError as error:
        raise DocumentError(source, [_encoding_fault(content, error.start, "UTF-8 / GB18030")]) from error
    impossible = [sign for sign in set(text) if unicodedata.category(sign) in _IMPOSSIBLE and sign not in "\t\r\n"]
    if impossible:
        before = text[: min(map(text.index, impossible))]
        raise DocumentError(source, [_encoding_fault(content, len(before.encode("gb18030")), "UTF-8 / GB18030")])
    return text


def _encoding_fault(content: bytes, byte: int, encoding: str) -> Fault:
    line = content[:byte].count(b"\n") + 1
    return Fault(
        "the text is not {encoding}: byte {byte} of the file", {"encoding": encoding, "byte": byte + 1}, "", line
    )


class Document:
    """A parsed YAML file that knows the line and column of every value.

    Values are addressed by a path of keys and indices, ``("satisfaction", "share")``; plain text stays text: ``5 %``
    and ``1/20`` are strings, and a date is a `datetime.date`. A number is written 30 or 0.5. What YAML reads as another
    number than a person does, such as ``030`` (24) and ``1:30`` (90), is a fault unless it stands in quotes.

    Parameters
    ----------
    content : bytes
        UTF-8, with or without byte order mark.
    source : str
        The file's name, for messages.
    strict : bool
        False reads numbers as YAML 1.1 does, and takes text that only looks empty or turns what follows it: as rule
        files of format 1 were read when they were issued.

    Raises
    ------
    DocumentError
        If the bytes are not UTF-8, are not YAML, hold a repeated key or an alias, are nested deeper than
        `GREATEST_NESTING_DEPTH`, are more than `MOST_BYTES` or more than `MOST_VALUES` values, or are not a mapping at
        the top.
    """

    def __init__(self, content: bytes, source: str, *, strict: bool = True) -> None:
        self.source, self.strict = source, strict
        self._constructor = yaml.constructor.SafeConstructor()
        self._places: dict[tuple[str | int, ...], tuple[int, int]] = {}
        self.faults: list[Fault] = []
        self.root = self._parse(content)

    def _parse(self, content: bytes) -> dict[str, object]:
        expect_size(content, self.source, most=MOST_BYTES)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            fault = Fault("the file is not UTF-8 text: byte {byte}", {"byte": error.start + 1}, line=line)
            raise DocumentError(self.source, [fault]) from error
        try:
            node = _compose(text, self.source)
            value = self._construct(node, ()) if node is not None else None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            fault = Fault(
                "this is not YAML: {problem}",
                {"problem": error.problem or error.context},
                line=mark.line + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            )
            raise DocumentError(self.source, [fault]) from error
        except yaml.YAMLError as error:
            raise DocumentError(self.source, [Fault("this is not YAML: {problem}", {"problem": error})]) from error
        if not isinstance(value, dict):
            self.faults.append(Fault("the file must hold keys with values", line=1))
        self.raise_faults()
        assert isinstance(value, dict)
        return value

    def _construct(self, node: yaml.Node, path: tuple[str | int, ...]) -> object:
        self._places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if isinstance(node, yaml.MappingNode):
            result: dict[str | int, object] = {}
            for key_node, value_node in node.value:
                key = self._scalar(key_node, path)
                here = (*path, key if isinstance(key, int) else str(key))
                if here[-1] in result:
                    self._places[here] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
                    self.fault("this key stands here twice", here)
                result[here[-1]] = self._construct(value_node, here)
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self._construct(child, (*path, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: tuple[str | int, ...]) -> object:
        mark = node.start_mark
        if self.strict and isinstance(node, yaml.ScalarNode) and _is_ambiguous_number(node):
            # Never computed: 1:30 is a number to the base of sixty, and a thousand colons are one that takes minutes.
            self._note(Fault(_AMBIGUOUS, {"value": node.value}, _dotted(path), mark.line + 1, mark.column + 1))
            return node.value
        if node.tag in _NUMBER_TAGS and isinstance(node, yaml.ScalarNode) and len(node.value) > _LONGEST_NUMBER:
            raise DocumentError(
                self.source, [Fault(_TOO_LONG_A_NUMBER, {"most": _LONGEST_NUMBER}, "", mark.line + 1, mark.column + 1)]
            )
        try:
            return self._constructor.construct_object(node, deep=True)
        except (ValueError, LookupError, AttributeError, TypeError, ArithmeticError) as error:
            # 2021-13-40 matches YAML's pattern of a date but is none; what is raised depends on the stated type.
            raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error

    def fault(self, message: str, path: tuple[str | int, ...], **facts: object) -> None:
        """Record a fault at `path`; a missing key is located at its nearest existing parent.

        The last of `MOST_FAULTS` raises `DocumentError` with all of them.
        """
        known = path
        while known not in self._places:
            known = known[:-1]
        line, column = self._places[known]
        self._note(Fault(message, facts, _dotted(path), line, column))

    def _note(self, fault: Fault) -> None:
        self.faults.append(fault)
        if len(self.faults) == MOST_FAULTS:
            self.raise_faults()

    def raise_faults(self) -> None:
        """Raise `DocumentError` if faults were recorded, with all of them."""
        if self.faults:
            raise DocumentError(self.source, self.faults)


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(part) for part in path)


def _is_ambiguous_number(node: yaml.ScalarNode) -> bool:
    """Return whether a value is, or looks like, a number that is not written plainly; in quotes it is text."""
    if node.tag not in _NUMBER_TAGS and (node.style is not None or not _LIKE_A_NUMBER.fullmatch(node.value)):
        return False
    return not _PLAIN_NUMBER.fullmatch(node.value)


_AMBIGUOUS: Final = N_(
    "“{value}” can be read as more than one number: write the plain number, such as 30 or 0.5, or put it in quotes"
)
_TOO_LONG_A_NUMBER: Final = N_("this number has more than {most} digits")


def expect_size(content: bytes, source: str, *, most: int) -> None:
    """Raise `DocumentError` for a file of more than so many bytes, before anything is made of it."""
    if len(content) > most:
        facts = {"size": f"{len(content):,}", "most": f"{most:,}"}
        raise DocumentError(source, [Fault(_TOO_LARGE, facts)])


_TOO_LARGE: Final = N_("the file has {size} bytes, at most {most} are read: send one that holds only what is asked for")


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses aliases, which can expand without limit, too deep nesting, and too many values."""

    source = ""
    _depth = 0
    _values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        place = {"line": mark.line + 1, "column": mark.column + 1}
        if self.check_event(yaml.AliasEvent):
            raise DocumentError(self.source, [Fault("a reference (*) is not read: write the value out", **place)])
        if self._depth == GREATEST_NESTING_DEPTH:
            raise DocumentError(self.source, [Fault("this is nested deeper than any value is", **place)])
        if self._values == MOST_VALUES:
            fault = Fault(
                "a file of more than {most} values is not read: remove what does not belong to it",
                {"most": f"{MOST_VALUES:,}"},
                **place,
            )
            raise DocumentError(self.source, [fault])
        self._values += 1
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _compose(text: str, source: str) -> yaml.Node | None:
    loader = _Loader(text)
    loader.source = source
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()
