"""Preparation of an installation: what must be there before residents can answer, and what is still to do.

Others call `facts.read_facts`, `checklist.list_steps`, `checklist.is_ready` and `wording.words_of`. What is done is
seen in the data and stored nowhere. Knows nothing of evaluations and of what anybody answered.
"""
