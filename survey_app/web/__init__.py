"""Web: what every page of the site needs of Flask, whatever it is about.

Others call `error_pages.init_app`, `template_filters.init_app`, `local_date` and `local_minute`. It knows no table and
no subject.
"""
