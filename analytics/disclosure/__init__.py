"""Statistical disclosure control: the rules by which small counts of people are not shown, and their suppression.

Pages, exports and files apply the rules of one dated file, kept in `issued/`. What others call: `rules.rules_in_force`,
`rules.load_disclosure_rules` and `rules.parse_disclosure_rules` give the `rules.DisclosureRules`;
`linked_numbers.hidden_numbers` says which of the numbers that are about to be shown must not be. By it
`answer_tables.AnswerTable` and `tenure_counts.shown_tenures` show the answers of a community;
`answer_tables.are_shares_told` says so of many communities at once.
`region_shares.shares_tell` judges a region beside it, `region_shares.rounded_associations` rounds what goes together
there. `suppression.suppress_counts`, `suppression.suppress_table` and `suppression.can_be_shown` judge single
breakdowns, `released_rows.coarsen_rows` single answers, `small_communities.withhold_small_communities` and
`pooled_deviations.withhold_pooled_deviations` a community table, and `hypothetical_tables.hypothetical_table` one of
another rule. Limits below which a statistic says too little are no disclosure rules and stay with their statistic.

It may know the readers of definition files, the columns of a community table, NumPy and pandas; nothing of evidence,
reports or the site.
"""
