"""Tables that people send and take away: readers that name every fault, and writers that spreadsheets open rightly.

Others write with `csv_files.csv_file` and `csv_files.frame_csv`, and replace a set of files with
`atomic_files.write_files`.

It may not know what a community, a rule or a response is, and needs no numerical library beyond pandas.
"""
