"""Widgets that panels are made of: charts with their numbers, tables, notices, filters, links.

Others call `components.panel`, `components.chart`, `components.data_table`, `components.Numbers`,
`evaluation_notices.provisional_notice`, `filter_bar.filter_bar`, `community_table` and `links.named_link`. Knows no
panel and no page.
"""
