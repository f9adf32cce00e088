"""Decisions around the cut-off: what many rows have in common is said once above them, and nothing is lost by it."""

import re

import pytest
from dash import html
from dash.development.base_component import Component
from dash_mantine_components import Table

from analytics.languages import LANGUAGES
from dashboards.address import View
from dashboards.frames.page_data import PageData
from dashboards.languages import translator
from dashboards.panels.around_cut_off import decision_headings, decision_words, decisions_panel, near_cut_offs
from dashboards.routes import ROUTES
from dashboards.widgets.components import records


def parts_of(panel, kind):
    return [part for part in panel._traverse() if isinstance(part, kind)]


def rows_of(panel):
    """Return the words of the cells of each row, without the name of the community."""
    [table] = parts_of(panel, Table)
    _head, body, *_caption = table.children
    return [[cell.children for cell in row.children[1:]] for row in body.children]


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_with_what_is_said_above_them_say_all_that_is_decided(city, language, route):
    _ = translator(language)
    shown = PageData.of(city, View(language, route=route))
    near = near_cut_offs(shown)
    panel = decisions_panel(shown, near)
    decided = [decision_words(row, shown) for each in near for row in records(each.listed)]
    rows, above = rows_of(panel), "\n".join(str(part.children) for part in parts_of(panel, html.P))

    assert all(not isinstance(cell, Component) for row in rows for cell in row)
    shortened = 0
    for place, heading in enumerate(decision_headings(shown)):
        left_out = {words[place] for words, row in zip(decided, rows, strict=True) if row[place] != words[place]}
        assert all(row[place] in (words[place], _("as above")) for words, row in zip(decided, rows, strict=True))
        if left_out:
            [words] = left_out
            count = sum(each[place] == words for each in decided)
            [line] = [line for line in above.splitlines() if line.startswith(heading) and words in line]
            assert [int(number) for number in re.findall(r"\d+", line.split(words)[1])[:2]] in (
                [count, len(rows)],
                [len(rows), count],
            )
            shortened += 1
    assert shortened == sum(line.count(_("as above")) for line in above.splitlines())
    assert shortened or route.key != "satisfaction"
