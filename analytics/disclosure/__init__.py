"""Statistical disclosure control: the rules by which small counts of people are not shown, and their suppression.

Pages, exports and files apply the rules of one dated file, kept in `issued/`. What others call: `rules.rules_in_force`,
`rules.load_disclosure_rules` and `rules.parse_disclosure_rules` give the `rules.DisclosureRules`;
`suppression.suppress_counts`, `suppression.suppress_table`, `suppression.can_be_shown` and
`answer_tables.AnswerTable` apply them to counts, `released_rows.coarsen_rows` to single answers,
`small_communities.withhold_small_communities` to a community table. Limits below which a statistic says too little are
no disclosure rules and stay with their statistic.

It may know the readers of definition files, the columns of a community table, NumPy and pandas; nothing of evidence,
reports or the site.
"""
