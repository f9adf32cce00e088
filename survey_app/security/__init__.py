"""Cryptography and numbers that people type: digests, signatures, encryption, check digits, submission keys.

Others call `digests.keyed_digest`, `signatures.sign`, `encryption.seal`, `encryption.unseal`,
`check_digits.read_number`, `submission_keys.sign_key`, `submission_keys.read_key` and `text.clean_text`. Knows neither
the database nor Flask.
"""
