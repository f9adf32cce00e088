"""Dashboards of the bureau: pages drawn from an `EvaluationSource`, on the site's own Flask server.

`app.mount` serves them; `source.EvaluationSource` is what a host must provide. Knows nothing of how results are stored.
"""
