"""Web site and database: residents answer and complain, staff read and decide.

`survey_app.app.factory.create_app` wires it; importing a model or a command does not load the web parts.
"""
