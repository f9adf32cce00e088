"""Statistical disclosure control: the rules by which small counts of people are not shown, and their suppression.

Pages, exports and files apply the rules of one dated file, kept in `issued/`. What others call: `rules.rules_in_force`,
`rules.load_disclosure_rules` and `rules.parse_disclosure_rules` give the `rules.DisclosureRules`;
`suppression.suppress_counts`, `suppression.suppress_table` and `suppression.can_be_shown` apply them. Limits below
which a statistic says too little are no disclosure rules and stay with their statistic.

It may know the readers of definition files, NumPy and pandas; nothing of evidence, decisions, reports or the site.
"""
