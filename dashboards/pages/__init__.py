"""Pages of the dashboards, one module each with its `PAGE`; `dashboards.app` lists them.

`page.Page` says what a page is. A page puts panels in order and may add key figures and filters
of its own; only the app may know pages, and no page another.
"""
