"""Appearance of the dashboards: one Mantine theme, one plotly template, one chart configuration.

Blue and vermilion (Okabe & Ito) can be told apart with every common colour vision, and no meaning hangs on colour
alone: those that meet the criterion are also larger and diamonds, cut-offs are also dashed.
"""

from typing import Any, Final

INK: Final = "#1b2733"
QUIET: Final = "#51606e"
LINE: Final = "#d5dce3"
SURFACE: Final = "#ffffff"
MET: Final = "#0b5cad"
OTHER: Final = "#8796a5"
INTERVAL: Final = "#cfd7df"
DECILES: Final = "rgba(81, 96, 110, 0.11)"
"""Of one band; four lie over each other around the median."""
CUT_OFF: Final = "#b84a00"
SHORT: Final = "#e3a13b"

EVIDENCE: Final[dict[str, tuple[str, str]]] = {
    "certain": ("#0b5cad", "#ffffff"),
    "likely": ("#8dbde6", "#1b2733"),
    "undecided": ("#d9dfe5", "#1b2733"),
    "unlikely": ("#f0c39b", "#1b2733"),
    "no": ("#b84a00", "#ffffff"),
}
"""Colour of each evidence band, from sure to ruled out, and the text colour that can be read on it."""

PERCENTILES: Final[tuple[tuple[float, str, str], ...]] = (
    (0.1, "#b84a00", "#ffffff"),
    (0.25, "#f0c39b", "#1b2733"),
    (0.75, "#eef1f4", "#1b2733"),
    (0.9, "#8dbde6", "#1b2733"),
    (1.0, "#0b5cad", "#ffffff"),
)
"""Percentile up to which each colour goes, from the lowest tenth over the middle half, and the text colour on it."""

FONT: Final = (
    '"Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", '
    '"WenQuanYi Micro Hei", "Helvetica Neue", Arial, sans-serif'
)

# The accent of the staff pages in ten steps, as Mantine wants it; step 7 is `MET`.
_ACCENT = [
    "#eaf3fb",
    "#d3e5f6",
    "#a6caec",
    "#77aee2",
    "#4f95d8",
    "#3384d2",
    "#1f73c4",
    "#0b5cad",
    "#084f96",
    "#063e77",
]

SHADES: Final = ("#eaf3fb", "#a6caec", "#6ea8d9", "#1f73c4", "#084f96")
"""Map colours, from the lowest to the best of several values."""
DARK_SHADES: Final = SHADES[3:]
"""Those on which white text can be read and dark text cannot."""

MANTINE: Final[dict[str, Any]] = {
    "fontFamily": FONT,
    "headings": {"fontFamily": FONT, "fontWeight": "600"},
    "primaryColor": "accent",
    "primaryShade": 7,
    "colors": {"accent": _ACCENT},
    "defaultRadius": "md",
    "black": INK,
}

_AXIS: dict[str, Any] = {
    "gridcolor": "#e9edf1",
    "linecolor": LINE,
    "zeroline": False,
    "automargin": True,
    "ticks": "",
    "title": {"font": {"size": 13, "color": QUIET}, "standoff": 8},
    "tickfont": {"size": 12, "color": QUIET},
    "fixedrange": True,
    # 10,000, never 10k: not everybody reads it.
    "separatethousands": True,
    "exponentformat": "none",
}

# Small on purpose: the templates that come with plotly add 7 kB to every figure.
TEMPLATE: Final[dict[str, Any]] = {
    "layout": {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 12, "t": 40, "b": 8},
        "separators": ".,",
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "hoverlabel": {"bgcolor": SURFACE, "bordercolor": LINE, "font": {"size": 13, "color": INK}, "align": "left"},
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": 12},
            "traceorder": "normal",
        },
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": QUIET, "activecolor": MET},
        "hovermode": "closest",
        "dragmode": False,
    }
}


def chart_config(language: str, name: str) -> dict[str, Any]:
    """Return plotly's configuration: nothing but a download, and nothing that could send data off the site."""
    return {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "plotlyServerURL": "",
        "showSendToCloud": False,
        "responsive": True,
        "locale": "zh-CN" if language == "zh-Hans" else "en",
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }
