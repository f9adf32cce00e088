import pytest
from rich.console import Console

from analytics.commands import shared
from analytics.progress import ignore_progress, progress_part, track_progress


@pytest.mark.parametrize("total", [1, 7, 200, 1999])
def test_reported_shares_are_few_and_rise_to_one(total):
    shares = []
    worked = list(track_progress(range(total), shares.append, total=total))

    assert worked == list(range(total))
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) <= 400


def test_an_item_counts_when_it_has_been_worked_on_and_not_when_it_is_handed_out():
    shares = []
    items = track_progress("ab", shares.append, total=2)
    next(items)

    assert shares == []


def test_nested_parts_report_the_share_of_the_whole():
    shares = []
    second = progress_part(shares.append, part=1, parts=2)
    progress_part(second, part=1, parts=2)(1.0)

    assert shares == [1.0]
    assert list(track_progress("ab", ignore_progress, total=2)) == ["a", "b"]


def show(monkeypatch, capsys, *, terminal):
    def console(**options):
        return Console(**options, force_terminal=terminal, width=100)

    monkeypatch.setattr(shared, "Console", console)
    with shared.progress_bar(2) as begin:
        begin("Reading")
        begin("Writing")(0.5)
    return capsys.readouterr()


def test_a_terminal_is_shown_the_step_and_the_share_that_is_done(monkeypatch, capsys):
    shown = show(monkeypatch, capsys, terminal=True)

    assert shown.out == ""
    assert "2/2" in shown.err
    assert "Writing" in shown.err
    assert "75%" in shown.err


def test_nothing_is_shown_where_there_is_no_terminal(monkeypatch, capsys):
    shown = show(monkeypatch, capsys, terminal=False)

    assert (shown.out, shown.err) == ("", "")
