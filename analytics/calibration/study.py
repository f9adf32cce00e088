"""Calibration study: simulations over all distributions of true rates and several region sizes, written to files."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from analytics.calibration.complaint_rates import COMPLAINT_RATE_DISTRIBUTIONS, calibrate_complaints
from analytics.calibration.evidence import LEVEL, SATISFACTION_DISTRIBUTIONS, calibrate
from analytics.decision.evaluate import versions
from analytics.files.csv_files import frame_csv
from analytics.languages import translator
from analytics.reports.chart_words import Labels
from analytics.reports.svg_charts import coverage_chart, reliability_chart
from analytics.rules import Prior

SEED: Final = 11
COVERAGE_FILE: Final = "coverage.csv"
BANDS_FILE: Final = "bands.csv"
STUDY_FILE: Final = "calibration.json"
FINDINGS_FILE: Final = "findings.txt"
COVERAGE_DRAWING: Final = "coverage.svg"
RELIABILITY_DRAWING: Final = "reliability.svg"

# Acceptable coverage of intervals at the level 95 %.
LEAST_COVERAGE: Final = 0.93
GREATEST_COVERAGE: Final = 0.97

_DECIMALS: Final = 6


@dataclass(frozen=True)
class Setting:
    """One simulated setting: a distribution of true rates, the assumed prior, and regions of one size.

    The truth is a key of `SATISFACTION_DISTRIBUTIONS` (satisfaction) or `COMPLAINT_RATE_DISTRIBUTIONS` (complaints).
    """

    truth: str
    prior: Prior
    communities: int
    regions: int


@dataclass(frozen=True)
class SettingResult:
    """Results of a setting: the tables of an evidence `Calibration`, each preceded by the setting."""

    setting: Setting
    coverage: pd.DataFrame
    bands: pd.DataFrame
    curve: pd.DataFrame


def list_settings(*, quick: bool) -> list[Setting]:
    """Return the settings of a study: all, or a few that take seconds.

    Parameters
    ----------
    quick : bool
        Only the nonparametric prior in two regions of 200.

    Examples
    --------
    >>> len(list_settings(quick=True)), len(list_settings(quick=False))
    (10, 80)
    """
    truths = (*SATISFACTION_DISTRIBUTIONS, *COMPLAINT_RATE_DISTRIBUTIONS)
    if quick:
        return [Setting(truth, "nonparametric", 200, 2) for truth in truths]
    priors: tuple[Prior, ...] = ("normal", "nonparametric")
    sizes = ((20, 3000), (40, 1500), (200, 300), (2000, 30))
    return [Setting(truth, prior, *size) for truth in truths for prior in priors for size in sizes]


def run_settings(settings: Iterable[Setting]) -> Iterator[SettingResult]:
    """Simulate each setting and yield its results; the same settings give the same numbers.

    Parameters
    ----------
    settings : iterable of Setting

    Yields
    ------
    SettingResult
    """
    for setting in settings:
        simulate = calibrate_complaints if setting.truth in COMPLAINT_RATE_DISTRIBUTIONS else calibrate
        result = simulate(**vars(setting), seed=SEED)
        coverage, bands, curve = (
            pd.DataFrame(vars(setting), index=frame.index).add_prefix("setting_").join(frame).round(_DECIMALS)
            for frame in (result.coverage, result.bands, result.curve)
        )
        yield SettingResult(setting, coverage, bands, curve)


def write_study(found: list[SettingResult], directory: Path, language: str) -> None:
    """Write the study: `coverage.csv`, `bands.csv`, `findings.txt`, two drawings, and all of it in `calibration.json`.

    Parameters
    ----------
    found : list of SettingResult
        At least one.
    directory : Path
        Made if it is missing.
    language : str
        Language of the drawings and of `findings.txt`, one of `analytics.languages.LANGUAGES`.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    tables = {
        name: pd.concat([getattr(one, name) for one in found], ignore_index=True)
        for name in ("coverage", "bands", "curve")
    }
    tables["bands"]["evidence"] = tables["bands"]["evidence"].map(str)
    for file, name in ((COVERAGE_FILE, "coverage"), (BANDS_FILE, "bands")):
        (directory / file).write_bytes(frame_csv(tables[name]))
    content = {
        "format": "jiayuan-calibration-1",
        "seed": SEED,
        "versions": versions(),
        **{name: table.to_dict("records") for name, table in tables.items()},
    }
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
    (directory / STUDY_FILE).write_text(text + "\n", "utf-8")
    findings = "\n".join(finding_sentences(tables["coverage"], language))
    (directory / FINDINGS_FILE).write_text(findings + "\n", "utf-8")
    (directory / COVERAGE_DRAWING).write_text(_draw_coverage(tables["coverage"], language), "utf-8")
    (directory / RELIABILITY_DRAWING).write_text(_draw_reliability(tables["curve"], language), "utf-8")


def finding_sentences(coverage: pd.DataFrame, language: str) -> Iterator[str]:
    """Yield sentences about settings whose coverage of credible intervals is too low or too high, and why.

    Parameters
    ----------
    coverage : DataFrame
        The concatenated coverage tables of a study.
    language : str
        One of `analytics.languages.LANGUAGES`.

    Yields
    ------
    str
        One sentence for each setting and group (all communities, the observed best) outside `LEAST_COVERAGE` to
        `GREATEST_COVERAGE`, with the coverage and its standard error; then the number of settings within.
    """
    _ = translator(language)
    groups = {"all": _("of all communities"), "observed_top": _("of the observed best")}
    rows = coverage[(coverage["interval"] == "credible") & coverage["group"].isin(list(groups))]
    within = rows["coverage"].between(LEAST_COVERAGE, GREATEST_COVERAGE)
    said = _(
        "{truth}, {prior}, regions of {communities}: intervals hold {coverage:.1%} (± {error:.1%}) {group}. {reason}"
    )
    for row in rows[~within].to_dict("records"):
        truth, prior, share = row["setting_truth"], row["setting_prior"], row["coverage"]
        yield said.format(
            truth=_truth_names(language)[truth],
            prior=_prior_name(truth, prior, language),
            communities=row["setting_communities"],
            coverage=share,
            error=(share * (1 - share) / row["communities"]) ** 0.5,
            group=groups[row["group"]],
            reason=_reason(truth, prior, too_few=share < LEAST_COVERAGE, language=language),
        )
    yield _("{within} of {all} shares lie between {least:.0%} and {greatest:.0%}.").format(
        within=int(within.sum()), all=len(rows), least=LEAST_COVERAGE, greatest=GREATEST_COVERAGE
    )


def _reason(truth: str, prior: str, *, too_few: bool, language: str) -> str:
    _ = translator(language)
    if prior == "normal" and truth in COMPLAINT_RATE_DISTRIBUTIONS:
        return _(
            "The gamma prior, estimated from few communities, is treated as known; the learned prior assumes less."
        )
    if prior == "normal":
        return _("The normal prior does not describe such communities; the learned prior does.")
    if truth == "two_point" and too_few:
        return _("So few communities do not show that there are two kinds of them.")
    if truth in {"two_point", "two_rates", "equal_rates"}:
        return _("No interval can hold exactly the promised share of values that lie on two points.")
    return _("The learned prior is smoother than such communities are, or chance alone moves the share so far.")


def _truth_names(language: str) -> dict[str, str]:
    _ = translator(language)
    return {
        "normal": _("normal"),
        "skewed": _("skewed"),
        "two_point": _("two kinds"),
        "beta": "Beta(16, 4)",
        "poster_pairs": _("Beta(16, 4), two like answers of each household"),
        "gamma_rates": _("complaints, gamma"),
        "lognormal_rates": _("complaints, lognormal"),
        "two_rates": _("complaints, two kinds"),
        "equal_rates": _("complaints, all alike"),
        "gamma_repeats": _("complaints, gamma, of households that complain again"),
    }


def _prior_name(truth: str, prior: str, language: str) -> str:
    _ = translator(language)
    if prior == "nonparametric":
        return _("learned prior")
    return _("gamma prior") if truth in COMPLAINT_RATE_DISTRIBUTIONS else _("normal prior")


def _draw_coverage(coverage: pd.DataFrame, language: str) -> str:
    _ = translator(language)
    truths = _truth_names(language)
    columns = ["setting_truth", "setting_prior", "setting_communities"]
    credible = coverage[coverage["interval"] == "credible"]
    shares = credible.pivot_table(index=columns, columns="group", values="coverage", sort=False)
    names = [f"{truths[truth]}, {_prior_name(truth, prior, language)}, {size}" for truth, prior, size in shares.index]
    labels = Labels(
        description=_(
            "How often the intervals held the true value: of all communities grey, of the observed best ones green."
        ),
        across=_("Share of intervals that hold the true value"),
        upward=_("True rates, prior, communities"),
        cut_off=_("- - promised"),
    )
    overall, among_best = (shares[group].to_numpy(dtype="float64") for group in ("all", "observed_top"))
    return coverage_chart(names, overall, among_best, level=LEVEL, labels=labels, name="coverage")


def _draw_reliability(curve: pd.DataFrame, language: str) -> str:
    _ = translator(language)
    labels = Labels(
        description=_("Realised share against predicted probability: learned prior green, the others grey."),
        across=_("Predicted probability"),
        upward=_("Share truly among the best"),
        cut_off=_("- - both agree"),
    )
    return reliability_chart(
        curve["predicted"].to_numpy(dtype="float64"),
        curve["realised"].to_numpy(dtype="float64"),
        marked=(curve["setting_prior"] == "nonparametric").to_numpy(dtype=bool),
        labels=labels,
        name="reliability",
    )
