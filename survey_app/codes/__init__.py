"""Poster codes and household slips: issued, scanned, revoked, printed.

Others call `codes.find_code`, `codes.scan_slip`, `codes.issue_poster_code`, `codes.revoke_slips`,
`codes.is_reference` and `print_runs` (PDF files by district). Knows nothing of answers, complaints or evaluations.
"""
