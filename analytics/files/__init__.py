"""Files that people send and take: YAML definitions, tables as CSV, XLSX and Parquet, every fault at once.

Others call `yaml_documents.Document`, `json_documents.JsonDocument`, `yaml_nodes.Node`, `table_cells.read_cells`,
`typed_columns.CellReader`, `spreadsheets.read_sheet`, `spreadsheets.write_workbook`, `csv_files.csv_file` and
`atomic_files.write_files`. Loads neither scipy nor numba, and knows no rule and no community.
"""
