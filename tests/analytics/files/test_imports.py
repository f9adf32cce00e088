import subprocess
import sys

LOAD_ALL = """
import importlib, pkgutil, sys
import analytics.files
for module in pkgutil.iter_modules(analytics.files.__path__, "analytics.files."):
    importlib.import_module(module.name)
assert "analytics.files.csv_files" in sys.modules
print([name for name in ("scipy", "numba", "flask", "sqlalchemy", "dash") if name in sys.modules])
"""


def test_readers_and_writers_of_tables_load_no_numerical_library_and_no_server():
    done = subprocess.run([sys.executable, "-c", LOAD_ALL], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
