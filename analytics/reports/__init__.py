"""Evaluation results in words and pictures, for people to read and print.

`labels` names stored codes (statuses, evidence, channels, survey modes …) in each language, once for every report and
dashboard. `warnings.list_warnings` and `warnings.warning_sentence` say what an evaluation warns of.

Reports read results and decide nothing. They know no server, no database and no dashboard.
"""
