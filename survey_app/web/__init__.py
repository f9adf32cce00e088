"""Flask plumbing without a subject: request context, languages, sessions, headers, error pages, logs.

Others call `context.site`, `languages.current_language`, `template_filters.local_date`, `downloads.file_response` and
`spliced_pages.SplicedPage`; the app wires the rest. Knows no table and no subject.
"""
