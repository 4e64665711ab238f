"""What assets do in a run, beside their definitions, which commands load without matplotlib and pyarrow.

An asset imports its module when it runs.
"""
