"""What assets do in a run, beside their definitions, which commands load without matplotlib and pyarrow.

Each module is imported by its asset, when a run has come to it.
"""
