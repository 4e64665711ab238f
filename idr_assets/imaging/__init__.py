"""Planes, labels and figures: plain numpy, dask and zarr. Nothing here knows of Dagster."""
