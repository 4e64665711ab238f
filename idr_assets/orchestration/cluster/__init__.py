"""The dask cluster: starting or reaching it, encryption, and its dashboard."""
