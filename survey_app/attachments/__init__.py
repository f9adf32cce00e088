"""Files that people send: kept in the database with their kind, limits, hash and owner.

A kind (`kinds.PHOTO`) says which files are taken, how they are scanned and how long they are kept; another kind is
another entry there. A view calls `uploads.uploads_in` and `attachments.scan_uploads`, then in a transaction
`attachments.change_attachments`. What stores a form calls `attachments.attach_to_complaint` or
`attachments.attach_to_response`;
retention calls `attachments.erase_attachments` and
`attachments.forget_unsent_attachments`. Backups call
`attachments.sizes_by_kind`.

This room lies below the register: it knows models, transactions and submission keys, and nothing of rounds,
questionnaires, complaints or responses. Flask is known to `uploads` alone.
"""
