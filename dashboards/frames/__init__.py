"""Data of a page, prepared for figures and panels: frames in, frames out.

`chart_context.Drawing` is what every figure of a view shares.

Frames know no component and no figure, and no place where results are stored.
"""
