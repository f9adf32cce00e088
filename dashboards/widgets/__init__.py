"""Components that several panels and pages share.

`evaluation_notices.no_evaluation` and `evaluation_notices.preview_notice` say that there is no result yet, or only a
provisional one.

Widgets know no panel and no page.
"""
