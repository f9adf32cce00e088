"""Table and sentences on how often the evidence was right in simulated cities, for a method statement."""

from collections.abc import Iterator, Mapping

from analytics.evidence.calibration_record import CalibrationRecord, Cell
from analytics.languages import translator
from analytics.reports.html_page import PageTable, percent


def calibration_table(record: CalibrationRecord, language: str) -> PageTable:
    """Return how often the evidence was right by scenario and size of region.

    Parameters
    ----------
    record : CalibrationRecord
    language : str
        One of `analytics.languages.LANGUAGES`.

    Returns
    -------
    PageTable
        A dash stands where nobody was called so.

    Examples
    --------
    >>> from analytics.evidence.calibration_record import read_calibration_record
    >>> table = calibration_table(read_calibration_record(), "en")
    >>> table.rows[0][:2]
    ['as the rules assume', '20']
    """
    _ = translator(language)
    headings = [
        _("Simulated city"),
        _("Communities in a region"),
        _("Intervals hold the true value: of all"),
        _("Of the observed best"),
        _("Called certain"),
        _("Of them truly among the best"),
        _("Ruled out and truly not among the best"),
        _("Called likely: truly among the best / foreseen"),
        _("Undecided: truly among the best / foreseen"),
    ]
    return PageTable(headings, [_row(cell, language) for cell in record.cells], numbers_from=1)


def calibration_sentences(record: CalibrationRecord, language: str) -> Iterator[str]:
    """Yield what the simulated cities show, the shortcomings by name.

    Parameters
    ----------
    record : CalibrationRecord
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str

    Examples
    --------
    >>> from dataclasses import replace
    >>> from analytics.evidence.calibration_record import read_calibration_record
    >>> record = read_calibration_record()
    >>> short = replace(record.cells[0], certain=400, certain_right=0.8)
    >>> for sentence in calibration_sentences(replace(record, cells=(short,)), "en"):
    ...     print(sentence)
    Falls short: as the rules assume, regions of 20: of those called certain 80.0% were truly among the best.
    """
    _ = translator(language)
    words, nothing = scenario_words(language), True
    sentences = {
        "certain": _(
            "Falls short: {city}, regions of {size}: of those called certain {share} were truly among the best."
        ),
        "likely": _(
            "Falls short: {city}, regions of {size}: of those called likely {share} were truly among the best."
        ),
        "no": _("Falls short: {city}, regions of {size}: of those ruled out {share} were truly not among the best."),
        "coverage": _("Falls short: {city}, regions of {size}: intervals hold the true value of {share} of all."),
        "coverage_best": _(
            "Falls short: {city}, regions of {size}: intervals hold the true value of {share} of the observed best."
        ),
    }
    for scenario in dict.fromkeys(cell.scenario for cell in record.cells):
        own = [cell for cell in record.cells if cell.scenario == scenario]
        for name, sentence in sentences.items():
            short = [cell for cell in own if name in cell.shortcomings]
            if short:
                nothing = False
                shares = [share for cell in short if (share := cell.share(name)) is not None]
                yield sentence.format(
                    city=words[scenario],
                    size=_(", ").join(f"{cell.communities:,}" for cell in short),
                    share=_range(min(shares), max(shares), language),
                )
    if nothing:
        yield _("Nothing falls short by more than chance in these cities.")


def scenario_words(language: str) -> Mapping[str, str]:
    """Return what the scenarios of `analytics.calibration.scenarios` are called, by their names.

    Examples
    --------
    >>> scenario_words("en")["reluctant_best"]
    'better communities answer less'
    """
    _ = translator(language)
    return {
        "as_assumed": _("as the rules assume"),
        "heavy_tail": _("some communities far better or worse than the rest"),
        "far_nonresponse": _("those who did not answer differ by 5.5 points, 3 are assumed"),
        "far_nonresponse_raised": _("those who did not answer differ by 5.5 points, 5.5 are assumed"),
        "reluctant_best": _("better communities answer less"),
        "poster_pairs": _("two like answers of each household on posters, as is assumed"),
        "poster_pairs_unknown": _("two like answers of each household on posters, one is assumed"),
        "repeat_complaints": _("complaints: households complain again, as is assumed"),
    }


def _row(cell: Cell, language: str) -> list[str]:
    return [
        scenario_words(language)[cell.scenario],
        f"{cell.communities:,}",
        _share(cell.coverage),
        _share(cell.coverage_best),
        f"{cell.certain:,}",
        _share(cell.certain_right),
        _share(cell.no_right),
        _both(cell, "likely"),
        _both(cell, "undecided"),
    ]


def _range(least: float, most: float, language: str) -> str:
    _ = translator(language)
    if _share(least) == _share(most):
        return _share(least)
    return _("{least} to {most}", least=_share(least), most=_share(most))


def _share(share: float | None) -> str:
    return "—" if share is None else percent(share, 1)


def _both(cell: Cell, word: str) -> str:
    if word not in cell.bands:
        return "—"
    _number, predicted, realised = cell.bands[word]
    return f"{percent(realised, 1)} / {percent(predicted, 1)}"
