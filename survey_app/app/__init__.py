"""The Flask app: every part and page put together, the home page and the audit page.

`factory.create_app` is all that others call. It may know every room but the commands, and nothing but commands and
tests may know it.
"""
