"""Figures as functions of data frames: they draw what the standings say and decide nothing.

Figures are plain dicts in plotly's own format: plotly's Python classes check the same 300 properties on every call,
which took four fifths of the time a page needed. The tests have them check every figure once. Panels call the functions
of a subject's module; `chart_parts` holds what all figures share. Knows neither the source nor any page.
"""
