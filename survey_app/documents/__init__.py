"""Official documents as PDF, of an evaluation and of a month's casework: to be printed, signed and filed.

Others call `kinds.KINDS`, `cover.document_words`, `sheets.document_pdf`, `bulletin.read_bulletin`,
`bulletin.write_bulletin` and `sheets.bulletin_pdf`; its pages send them. Documents of an evaluation read through the
`EvaluationSource` of the signed-in account alone, so that they show no more than the pages do; the bulletin reads the
cases in the scope of the account.
"""
