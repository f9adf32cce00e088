"""Parts of pages: each draws one subject of an evaluation with its chart, table and sentences.

`held_answers.standings_without_held` says what standings would be without the answers that are held for review.

Panels know no page.
"""
