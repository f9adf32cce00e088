"""Files that staff take away: standings, tables, and for the evaluator what was counted, answer by answer.

Others call `standings.export_standings`, `answer_tables.export_answer_tables`, `responses.export_responses`,
`texts.export_texts` and `community_table.export_community_table`; its pages stream them. Knows how rows become files
that tell nobody's answers, and nothing that recomputes them.
"""
