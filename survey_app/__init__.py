"""Web site and database: residents answer and complain, staff read and decide.

`survey_app.app.factory.create_app` wires it; importing a model or a command loads no web framework. ARCHITECTURE.md
shows the rooms and which may import which.
"""
