"""Read the source: one level of an OME-Zarr image, each read verified and tried again. Nothing is written here."""
