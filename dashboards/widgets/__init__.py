"""Widgets that panels are made of: charts with their numbers, tables, notices, filters, links.

Others call `components.panel`, `components.chart`, `components.data_table`, `components.Numbers`,
`evaluation_notices.provisional_notice`, `filter_bar.filter_bar`, `community_table`, `links.named_link` and, where there
is nothing to show, `next_steps`. Knows no panel and no page.
"""
