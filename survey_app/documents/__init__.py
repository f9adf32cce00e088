"""Official documents of an evaluation as PDF: made of what the dashboards say, to be printed, signed and filed.

Others call `kinds.KINDS`, `cover.document_words` and `sheets.document_pdf`; its page sends them. Reads through the
`EvaluationSource` of the signed-in account alone, so that a document shows no more than the pages do.
"""
