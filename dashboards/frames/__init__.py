"""Data of a page, prepared for figures and panels: frames in, frames out.

Others call `page_data.PageData.of`, `standings.in_region`, `standings.met`, `standings.scale_of`,
`profile.satisfied_shares`, `aspects.aspects_of_community`, `underreported_complaints.underreporting_warnings` and
`chart_context.ChartContext`. Knows no component, no figure and no place where results are stored.
"""
