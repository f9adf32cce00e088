"""Values that break what reads them, and requests that carry them to every route."""

import re
from urllib.parse import quote

from survey_app.config import REPOSITORY

HOSTILE = (
    "0",
    "-1",
    str(2**31),
    str(2**63),
    str(-(2**63) - 1),
    "9" * 5000,
    "1_0",
    "٣",
    "９９",
    "²",
    "①",
    "1e400",
    "nan",
    "-inf",
    "0x10",
    "9999-12-31",
    "0001-01-01",
    "a\0b",
    "\0",
    "\ufffe\ud800".encode("utf-8", "surrogatepass"),
    b"\xff\xfe",
    "\u202e\u200b\ufeff",
    "'; DROP TABLE account; --",
    "%s%(x)s{0}{{7*7}}",
    "<script>alert(1)</script>",
    "..%2f..%2fetc",
    "a\r\nSet-Cookie: x=1",
    "//evil.example",
    "\\\\evil.example",
    "[]",
    "{",
    "",
)

# Arguments of the function that builds addresses, and what else phones and frameworks put into a query.
FOREIGN_NAMES = (
    "endpoint", "values", "_anchor", "_method", "_scheme", "_external", "self", "filename", "token", "reference",
    "from", "utm_source", "_dash", "__class__", "lang[]", "\0", "名",
)  # fmt: skip


def field_names():
    """Return the names of all fields that a template writes or a view reads."""
    names = set()
    for path in (REPOSITORY / "survey_app").rglob("*"):
        if path.suffix in {".py", ".html"}:
            text = path.read_text("utf-8")
            names |= set(re.findall(r"""(?:form|values)\.(?:get|getlist)\("(\w+)\"""", text))
            names |= set(re.findall(r'\bname="([\w-]+)"', text))
    return sorted(names)


def written(value):
    """Return a hostile value as an address or a form carries it."""
    return quote(value, safe="")


def paths_with(app, rule, arguments):
    """Yield the address of a rule as it should be, and with each of its arguments hostile."""
    adapter = app.url_map.bind("localhost")
    yield adapter.build(rule.endpoint, arguments)
    for name in sorted(rule.arguments):
        pattern = re.sub(
            r"<(?:[^:<>]+:)?(\w+)>",
            lambda part, name=name: "\1" if part[1] == name else quote(str(arguments[part[1]]), safe=""),
            rule.rule,
        )
        for value in HOSTILE:
            yield pattern.replace("\1", written(value))
