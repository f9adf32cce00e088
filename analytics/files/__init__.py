"""Tables that people send and take away: readers that name every fault, and writers that spreadsheets open rightly.

Others write with `csv_files.csv_file`, `csv_files.frame_csv` and `spreadsheets.write_workbook`, replace a set of files
with `atomic_files.write_files`, read with `spreadsheets.read_sheet` and `table_cells.read_cells`, and turn what they
read into columns of one type each with `typed_columns.CellReader`.

It may not know what a community, a rule or a response is, and needs no numerical library beyond pandas.
"""
