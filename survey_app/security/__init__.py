"""Security: what is done to text and numbers before anything trusts them, with no database and no Flask.

Others call `clean_text`. It knows no table and no subject.
"""
