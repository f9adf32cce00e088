"""Files that staff or an evaluator may be handed: small to send, and costly to whoever reads all that they say."""

import io
import zipfile
from datetime import UTC, datetime

from analytics.files.spreadsheets import SheetColumn, write_workbook

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def workbook(**parts):
    """A workbook of one cell in which some parts are replaced: `sheet`, `strings`, `styles`, `workbook`, `types`."""
    stream = io.BytesIO()
    write_workbook(stream, title="小区", columns=[SheetColumn("编号")], rows=[], now=datetime(2026, 9, 1, tzinfo=UTC))
    names = {
        "sheet": "xl/worksheets/sheet1.xml",
        "strings": "xl/sharedStrings.xml",
        "styles": "xl/styles.xml",
        "workbook": "xl/workbook.xml",
        "types": "[Content_Types].xml",
    }
    added = {names.get(name, name): content for name, content in parts.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(stream) as whole, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as changed:
        for name in dict.fromkeys([*whole.namelist(), *added]):
            content = added.get(name)
            if callable(content):
                content = content(whole.read(name).decode())
            changed.writestr(name, whole.read(name) if content is None else content)
    return packed.getvalue()


def sheet(rows, *, dimension="A1"):
    return f'<worksheet xmlns="{MAIN}"><dimension ref="{dimension}"/><sheetData>{rows}</sheetData></worksheet>'


def cells(count, text="1"):
    return f"<c><v>{text}</v></c>" * count


def row(content):
    return f"<row>{content}</row>"


def strings(count):
    return f'<sst xmlns="{MAIN}">' + "<si><t>a</t></si>" * count + "</sst>"


WORKBOOKS = {
    "of 200,000 rows": lambda: workbook(sheet=sheet(row(cells(4)) * 200_000)),
    "of a million empty rows": lambda: workbook(sheet=sheet("<row/>" * 1_000_000)),
    "with one cell in the last row": lambda: workbook(
        sheet=sheet('<row r="1048576"><c r="A1048576"><v>1</v></c></row>')
    ),
    "with one cell in a row that is none": lambda: workbook(sheet=sheet('<row r="99999999999"><c><v>1</v></c></row>')),
    "of a row of 16,384 cells": lambda: workbook(sheet=sheet(row(cells(16_384)))),
    "of rows of 16,384 cells": lambda: workbook(sheet=sheet(row(cells(16_384)) * 200)),
    "with one cell in a column that is none": lambda: workbook(
        sheet=sheet('<row r="1"><c r="ZZZZZZ1"><v>1</v></c></row>')
    ),
    "whose dimension lies": lambda: workbook(sheet=sheet(row(cells(4)) * 100_000, dimension="A1:XFD1048576")),
    "of a million texts that no cell shows": lambda: workbook(strings=strings(1_000_000)),
    "of two gigabytes of zeros": lambda: workbook(sheet="\0" * 300_000_000),
    "of one text of a hundred megabytes": lambda: workbook(strings=f'<sst xmlns="{MAIN}"><si><t>{"a" * 100_000_000}'),
    "of a hundred thousand styles": lambda: workbook(
        styles=f'<styleSheet xmlns="{MAIN}"><cellXfs>{"<xf/>" * 300_000}</cellXfs></styleSheet>'
    ),
    "of a thousand sheets": lambda: workbook(
        **{f"xl/worksheets/sheet{number}.xml": sheet(row(cells(1))) for number in range(2, 1002)}
    ),
    "of a hundred thousand parts": lambda: workbook(**{f"xl/media/{number}.png": b"" for number in range(20_000)}),
    "of a hundred thousand names": lambda: workbook(
        workbook=lambda text: text.replace(
            "</sheets>",
            "</sheets><definedNames>" + "<definedName name='a'>A1</definedName>" * 100_000 + "</definedNames>",
        )
    ),
    "whose list of sheets is one of the sheets": lambda: workbook(
        types=lambda text: text.replace("/xl/workbook.xml", "/xl/worksheets/other.xml"),
        **{"xl/worksheets/other.xml": "<a/>" * 1_000_000},
    ),
    "with a number of a hundred thousand digits": lambda: workbook(sheet=sheet(row(cells(1, "9" * 100_000)))),
    "with a number of four hundred digits": lambda: workbook(sheet=sheet(row(cells(1, "9" * 400)))),
    "with a billion laughs": lambda: workbook(
        strings="<!DOCTYPE a ["
        + "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(1, 12))
        + f'<!ENTITY a1 "ha">]><sst xmlns="{MAIN}"><si><t>&a12;</t></si></sst>'
    ),
    "of a million merged cells": lambda: workbook(
        sheet=sheet(row(cells(1))).replace("</worksheet>", "<mergeCells>" + '<mergeCell ref="A1:B2"/>' * 2_000_000)
    ),
    "of nested elements": lambda: workbook(sheet=sheet("<a>" * 2_000_000)),
    "of ten thousand formulas without a result": lambda: workbook(sheet=sheet(row("<c><f>1+1</f></c>" * 5) * 200_000)),
}


def deflated_twice():
    inner = workbook(sheet=sheet(row(cells(4)) * 100))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner.xlsx", inner * 200)
    return stream.getvalue()


NO_WORKBOOKS = {
    "an archive in an archive": deflated_twice,
    "an archive that is cut off": lambda: workbook()[:-30],
    "the beginning of an archive": lambda: b"PK\x03\x04" + b"\0" * 100_000,
    "an archive that is empty": lambda: b"PK\x05\x06" + b"\0" * 18,
}

TABLES = {
    "of eight million empty lines": lambda: b"\n" * 8_000_000,
    "of a row of a million cells": lambda: b"," * 1_000_000 + b"a\n",
    "of a wide row and many rows": lambda: b"a" + b",a" * 5000 + b"\n" + b"1\n" * 100_000,
    "of rows of 190 cells": lambda: (b"," * 189 + b"a\n") * 40_000,
    "of one cell of megabytes": lambda: b'"' + b"a" * 8_000_000 + b'"\n',
    "of an open quotation mark": lambda: b"a,b\n" * 10_000 + b'"' + b"1,2\n" * 200_000,
    "of quotation marks": lambda: b'""""""""' * 500_000,
    "of carriage returns": lambda: b"\r" * 5_000_000,
    "of bytes of another encoding": lambda: b"\xb0\xa1," * 2_000_000,
    "of marks of byte order": lambda: "\ufeff".encode() * 2_000_000,
}

DOCUMENTS = {
    "a number to the base of sixty": b"format: " + b":".join([b"1"] * 100_000),
    "a fraction to the base of sixty": b"format: " + b":".join([b"59"] * 80_000) + b".5",
    "a number of many digits": b"format: " + b"9" * 200_000,
    "a hexadecimal number of many digits": b"format: 0x" + b"f" * 200_000,
    "a binary number of many digits": b"format: 0b" + b"1" * 240_000,
    "an octal number of many digits": b"format: 0" + b"7" * 240_000,
    "a number with many gaps": b"format: 1" + b"_0" * 120_000,
    "a fraction of many digits": b"format: 0." + b"1" * 240_000,
    "an endless exponent": b"format: 1.0e+" + b"9" * 200_000,
    "brackets in brackets": b"format: " + b"[" * 200_000,
    "braces in braces": b"format: " + b"{a: " * 60_000,
    "dashes in dashes": b"- " * 100_000,
    "keys in keys": b"? " * 100_000,
    "references": b"a: &a [x, x]\n" + b"b: [*a, *a]\n" * 1000,
    "a billion laughs": b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (n, n) for n in range(40)),
    "many values": b"a:\n" + b"- 1\n" * 60_000,
    "many values on a line": b"a: [" + b"1," * 120_000 + b"1]",
    "many keys": b"".join(b"k%d: 1\n" % number for number in range(20_000)),
    "long keys": b"".join(b"k%d%s: 1\n" % (number, b"x" * 900) for number in range(250)),
    "many words": b"a: " + b"x " * 120_000,
    "broken lines": b'a: "' + b"x\\\n" * 60_000 + b'"',
    "folded lines": b"a: >\n" + b"  x\n\n" * 40_000,
    "comments": b"#\n" * 120_000,
    "directives": b"%TAG !a! tag:a\n" * 10_000 + b"---\na: 1",
    "documents": b"---\n" * 60_000,
    "anchors": b"a: " + b"&a " * 80_000,
    "a long tag": b"a: !" + b"t" * 200_000 + b" b",
    "colons": b"a" + b":" * 250_000,
    "a time before all time": b"format: 0001-01-01T00:00:00+23:59",
    "a time in no zone": b"format: 2001-01-01T00:00:00+99:99",
    "a whole number of nothing": b"format: !!int ''",
    "a truth that is none": b"format: !!bool maybe",
    "a time that is none": b"format: !!timestamp x",
    "a set as a key": b"? !!set {a}\n: 1",
    "a program": b"format: !!python/object/apply:os.system [ls]",
    "bytes that are none": b"format: !!binary '!!!'",
    "a list as a key": b"? [a, b]\n: 1",
    "pairs that are none": b"format: !!omap [1, 2]\n? !!pairs [1]\n: 2",
}
"""YAML files of at most 256 kB, none of them a rule file or a questionnaire."""

MAPS = {
    "of a million points": lambda: _map(b"[106.5,39.5]," * 1_000_000 + b"[106.5,39.5]"),
    "of a million empty points": lambda: _map(b"[]," * 1_000_000 + b"[]"),
    "of rings in rings": lambda: b'{"type": "FeatureCollection", "features": ' + b"[" * 1_000_000,
    "of objects in objects": lambda: b'{"a":' * 500_000,
    "of many features": lambda: b'{"type": "FeatureCollection", "features": [' + b"{}," * 240_000 + b"{}]}",
    "with a number of many digits": lambda: _map(b"[1" + b"0" * 100_000 + b", 1]"),
    "with an endless exponent": lambda: _map(b"[1e999999, 1], [NaN, 1], [Infinity, 1], [-Infinity, 1]"),
    "of keys that stand there twice": lambda: b"{" + b",".join([b'"a":1'] * 240_000) + b"}",
    "of many keys": lambda: b"{" + b",".join(b'"%d":1' % number for number in range(240_000)) + b"}",
    "of forty megabytes of nothing": lambda: b" " * 40_000_000,
    "of a name of megabytes": lambda: _map(b"[1, 1]").replace("乌达区".encode(), b"a" * 8_000_000),
}


def _map(points):
    geometry = b'{"type": "Polygon", "coordinates": [[' + points + b"]]}"
    name = '{"name": "乌达区"}'.encode()
    return b'{"type": "FeatureCollection", "features": [{"properties": ' + name + b', "geometry": ' + geometry + b"}]}"
