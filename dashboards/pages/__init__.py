"""Pages of the dashboards, one module each with its `PAGE`; `dashboards.app` lists them.

`page.Page` says what a page is. A page puts panels in order; only the app may know pages.
"""
