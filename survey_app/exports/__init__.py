"""Export files for evaluators, one module per kind."""
