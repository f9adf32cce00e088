"""Files that people send: kept in the database with their kind, limits, hash and owner.

A kind (`kinds.PHOTO`) says which files are taken, how they are scanned and how long they are kept; another kind is
another entry there. Others call:

- views: `uploads.uploads_in` and `attachments.scan_uploads`, then in a transaction `attachments.change_attachments`
- what stores a form: `attachments.attach_to_complaint` or `attachments.attach_to_response`
- retention: `attachments.erase_attachments` and `attachments.forget_unsent_attachments`
- backups: `attachments.sizes_by_kind`
- upgrades: `attachments.draw_missing_thumbnails`

What strangers send is measured (`photo_costs`) before it is decoded, and decoded in processes that can be killed
(`decoder_pool`, which runs `decoder_process`).

This room lies below the register: it knows models, transactions and submission keys, and nothing of rounds,
questionnaires, complaints or responses. Flask is known to `uploads` alone.
"""
