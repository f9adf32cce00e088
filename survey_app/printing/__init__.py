"""PDF and QR plumbing: Typst, typefaces, QR codes, streamed archives.

Others call `typst.typeset`, `typefaces.installed_typefaces`, `qr.qr_svg`, `qr.qr_png` and `zip_stream.zip_files`.
Knows no subject: what is printed comes from its caller.
"""
