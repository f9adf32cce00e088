"""Dashboards of the bureau: pages drawn from an `EvaluationSource`, on the site's own Flask server."""
