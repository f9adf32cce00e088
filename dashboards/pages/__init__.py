"""Pages of the dashboards, one module each with its `PAGE`; `dashboards.app` lists them.

`page.Page` says what a page is, `drawing.draw_parts` draws its parts one by one. A page puts panels in order and may
add key figures and filters of its own; only the app may know pages, and no page another.
"""
