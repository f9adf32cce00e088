"""The case desk, where offices and companies deal with complaints.

`inbox` lists what an account has to deal with; `case_file` is one case with all that the office knows of it, and
`case_steps` what can be done with it; `clock_explanation` says how a deadline came about; `stage_two` who may deal with
a case in stage 2; `company_cases` is what a company sees of a case, which is what the office released.
"""
