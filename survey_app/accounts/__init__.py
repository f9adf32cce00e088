"""Staff accounts: who may sign in, with which role, over which part of the city.

Others call `scope.Scope` (narrows every staff query), `guard.signed_in`, `policies.policy` with one of the policies of
that module, `staff_pages.blueprint`, `attempt_limits.count_attempt`, `accounts.add_account` and
`installation.use_as_real`. Knows nothing of communities' lists, rounds, answers or complaints.
"""
