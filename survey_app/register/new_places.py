"""What a list would make anew beside what is stored: twins, which are faults, and new names, to be confirmed."""

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from analytics.files.written_text import comparison_key, number_key, spelled_out
from analytics.files.yaml_documents import Fault
from analytics.languages import N_
from survey_app.pinyin import pinyin_of

_ENDINGS: Final = re.compile(r"(?:街道|办事处|街道办|社区|居民委员会|居委会|村委会|苏木|[区县市旗州盟镇乡村])+$")
# Of shorter names one sign is too much of them: 东城区 is not 西城区.
_FEWEST_SIGNS_ONE_OFF: Final = 4


# 新华一街 and 新华二街 are two on purpose.
_TELLING_APART: Final = frozenset("0123456789一二三四五六七八九十东南西北中上下前后新老")


# What some lists write behind or within a name, and others leave out.
_GENERIC: Final = re.compile(r"住宅小区|小区|社区|住宅区|[()·・.、,-]")
# 二期 and 2期 are one phase.
_DIGITS: Final = str.maketrans("一二三四五六七八九", "123456789")
_ISSUED: Final = re.compile(r"JY([0-9]{6,})")


class Listed(NamedTuple):
    """A community as a list or the register has it; the line is of the list, which may leave out the number."""

    number: str
    name: str
    district: str
    company: str | None
    subdistrict: str | None = None
    neighbourhood: str | None = None
    line: int = 0
    has_number: bool = True


Path = tuple[str, ...]
"""The names of a place from its district down to its own; of a company its own name alone."""


def twins_of_stored(listed: Sequence[Listed], stored: Mapping[str, Listed]) -> list[Fault]:
    """Return a fault for each row whose number, or name within its district, another stored community has already.

    A row that changes neither is none: what was stored before this was looked at must stay importable.
    """
    number_by_key = {number_key(number): number for number in stored}
    numbers = {row.number for row in listed}
    absent = {_place(row): row.number for number, row in stored.items() if number not in numbers}
    faults = []
    for row in listed:
        known = stored.get(row.number)
        twin = number_by_key.get(number_key(row.number))
        if known is None and twin is not None:
            facts = {"value": spelled_out(row.number), "known": spelled_out(twin), "name": stored[twin].name}
            faults.append(Fault(_TWIN_NUMBER, facts, "", row.line))
        elif (known is None or _place(known) != _place(row)) and (number := absent.get(_place(row))) is not None:
            facts = {"name": row.name, "number": number, "other": row.number}
            faults.append(Fault(_TWIN_NAME, facts, "", row.line))
    return faults


def twins_of_names(names: Mapping[Path, int], stored: Iterable[Path]) -> list[Fault]:
    """Return a fault for each name, by its line, that only looks like a stored one within the same place."""
    known = {tuple(map(comparison_key, path)): path for path in stored}
    spelled = set(known.values()) | set(stored)
    faults = []
    for path, line in names.items():
        twin = known.get(tuple(map(comparison_key, path)))
        # Where the names differ in the district alone, the district is the twin.
        if path not in spelled and twin is not None and twin[-1] != path[-1]:
            faults.append(Fault(_TWIN, {"value": spelled_out(path[-1]), "known": spelled_out(twin[-1])}, "", line))
    return faults


def new_districts(names: Mapping[Path, int], stored: Iterable[Path]) -> list[Fault]:
    """Return a sentence for each district, by its line, that is not stored: whether it resembles another one.

    In an empty register every district is new, and only those that resemble each other are named.
    """
    return _new_names(names, stored, new=_NEW_DISTRICT, near=_NEAR_DISTRICT, fewest_signs=0)


def new_subdistricts(names: Mapping[Path, int], stored: Iterable[Path]) -> list[Fault]:
    """Return such a sentence for each subdistrict of a district that has some already."""
    return _new_names(names, stored, new=_NEW_SUBDISTRICT, near=_NEAR_SUBDISTRICT, fewest_signs=_FEWEST_SIGNS_ONE_OFF)


def new_neighbourhoods(names: Mapping[Path, int], stored: Iterable[Path]) -> list[Fault]:
    """Return such a sentence for each neighbourhood of a subdistrict that has some already."""
    return _new_names(
        names, stored, new=_NEW_NEIGHBOURHOOD, near=_NEAR_NEIGHBOURHOOD, fewest_signs=_FEWEST_SIGNS_ONE_OFF
    )


def _new_names(
    names: Mapping[Path, int], stored: Iterable[Path], *, new: str, near: str, fewest_signs: int
) -> list[Fault]:
    known = dict.fromkeys(stored)
    holders = {path[:-1] for path in known}
    by_key: dict[tuple[Path, str], str] = {}

    def note(path: Path) -> None:
        for key in _near_keys(path[-1], fewest_signs):
            by_key.setdefault((path[:-1], key), path[-1])

    for path in known:
        note(path)
    found = []
    for path, line in names.items():
        if path in known:
            continue
        *within, name = path
        keys = ((tuple(within), key) for key in _near_keys(name, fewest_signs))
        resembled = next((by_key[key] for key in keys if key in by_key), None)
        facts = {"name": name, "within": "".join(within), "known": resembled}
        if resembled is not None:
            found.append(Fault(near, facts, "", line))
        elif path[:-1] in holders:
            found.append(Fault(new, facts, "", line))
        note(path)
    return found


def new_companies(names: Mapping[Path, int], stored: Iterable[Path]) -> list[Fault]:
    """Return a sentence for each property company, by its line, that is not stored; none where there are none yet."""
    known = set(stored)
    return [
        Fault("the property company {name} would be new", {"name": path[-1]}, "", line)
        for path, line in names.items()
        if known and path not in known
    ]


def first_lines(listed: Sequence[Listed], *columns: str) -> dict[Path, int]:
    """Return the names in some columns of a list with their first lines, without those whose last one is blank."""
    lines: dict[Path, int] = {}
    for row in listed:
        path = tuple(getattr(row, column) for column in columns)
        if path[-1] is not None:
            lines.setdefault(path, row.line)
    return lines


def new_communities(listed: Sequence[Listed], stored: Mapping[str, Listed]) -> list[Fault]:
    """Return a sentence for each community that is not stored and has no number, or resembles one of its district.

    In an empty register every community is new, and none is asked about.
    """
    new = [row for row in listed if row.number not in stored]
    if not stored or not new:
        return []
    resembled = {(row.district, key): row for row in stored.values() for key in _core_keys(row.name)}
    found = []
    for row in new:
        other = next(
            (resembled[row.district, key] for key in _core_keys(row.name) if (row.district, key) in resembled), None
        )
        facts = {"name": row.name, "number": row.number}
        if other is not None:
            found.append(Fault(_DOUBLE, {"name": row.name, "known": other.name, "number": other.number}, "", row.line))
        elif not row.has_number:
            found.append(Fault(N_("{name} has no number and would get {number}"), facts, "", row.line))
    return found


def unused_numbers(taken: Collection[str]) -> Iterator[str]:
    """Yield the numbers that communities without one get, from the first above all that were given out."""
    given = [int(match[1]) for number in taken if (match := _ISSUED.fullmatch(number)) is not None]
    for count in itertools.count(max(given, default=0) + 1):
        yield f"JY{count:06}"


def place_key(district: str, name: str) -> tuple[str, str]:
    """Return what is equal for names within a district that look alike."""
    return comparison_key(district), comparison_key(name)


def _place(row: Listed) -> tuple[str, str]:
    return place_key(row.district, row.name)


def _core_keys(name: str) -> Iterator[str]:
    """Yield keys of which the names of one community share one: without what some leave out, and by sound."""
    core = _GENERIC.sub("", comparison_key(name)).translate(_DIGITS) or comparison_key(name)
    yield core
    yield "sound " + " ".join(pinyin_of(core))


def _near_keys(name: str, fewest_signs: int) -> Iterator[str]:
    """Yield keys of which names that resemble each other share one: by sound, without the ending, with one sign off.

    One sign off, the ending aside, is too much of names with fewer signs than these: 光明社区 is not 光华社区.
    """
    plain = comparison_key(name)
    bare = _ENDINGS.sub("", plain) or plain
    yield "sound " + " ".join(pinyin_of(plain))
    yield "bare " + bare
    if len(plain) >= _FEWEST_SIGNS_ONE_OFF and len(bare) >= fewest_signs:
        yield f"short {plain}"
        for place in (place for place, sign in enumerate(plain) if sign not in _TELLING_APART):
            yield f"other {plain[:place]}?{plain[place + 1 :]}"
            yield f"short {plain[:place]}{plain[place + 1 :]}"


_NEW_DISTRICT: Final = N_("the district {name} would be new")
_NEAR_DISTRICT: Final = N_("the district {name} would be new and resembles {known}")
_NEW_SUBDISTRICT: Final = N_("the subdistrict {name} of {within} would be new")
_NEAR_SUBDISTRICT: Final = N_("the subdistrict {name} of {within} would be new and resembles {known}")
_NEW_NEIGHBOURHOOD: Final = N_("the neighbourhood {name} of {within} would be new")
_NEAR_NEIGHBOURHOOD: Final = N_("the neighbourhood {name} of {within} would be new and resembles {known}")
_DOUBLE: Final = N_(
    "{name} would be new and resembles {known} of this district: if it is the same, give it the number {number}"
)
_TWIN: Final = N_("“{value}” looks like “{known}”, which is stored: write it as it is stored")
_TWIN_NUMBER: Final = N_(
    "the number “{value}” looks like “{known}”, under which {name} is stored: write the stored number"
)
_TWIN_NAME: Final = N_(
    "{name} is stored in this district under the number {number}, here it has {other}: write the stored number"
)
