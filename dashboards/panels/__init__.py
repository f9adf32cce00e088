"""Panels: titled parts of a page, each drawn from one view with its chart, table and sentences.

A panel is a function of a `PageData` that returns components, such as `list_evidence.list_evidence_panel`,
`around_cut_off.around_cut_off_panel`, `what_if.what_if_panel`, `complaint_funnel.funnel_panel` and `district_map`;
`held_answers.standings_without_held` gives standings without the answers held for review. Knows no page.
"""
