"""Words and pictures of results: report pages, charts, sentences, the files of an evaluation.

Others call `labels` (one wording for each status, reason, route and channel), `warnings.list_warnings`,
`warnings.warning_sentence`, `evaluation_files.write_outputs`, `html_page.render_page` and `svg_charts`. Reads results
and decides nothing; knows no server, no database and no dashboard.
"""
