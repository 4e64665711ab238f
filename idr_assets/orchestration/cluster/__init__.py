"""The dask cluster: which one, how it is reached, and who may see what travels to it."""
