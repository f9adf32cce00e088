"""Files that evaluators take away, one module per kind."""
