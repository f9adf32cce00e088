"""The commands of `python -m analytics`: each reads files, computes, writes files and says what it did.

`analytics.__main__` lists them. Nothing else may know them.
"""
