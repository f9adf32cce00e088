"""Survey rounds: what is asked, by which rule file, from when to when.

Others call `rounds.create_round`, `rounds.add_rule_file`, `rounds.publish_questionnaire`,
`round_changes.close_round_early`, `questionnaires.load_questionnaire`, `questionnaires.questionnaire_from_canonical`
and `privacy_promises.statements_to`. Knows nothing of answers, complaints or evaluations.
"""
