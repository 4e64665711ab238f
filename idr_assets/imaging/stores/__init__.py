"""From addresses to stores: local folders, HTTP and S3, and how Zarr asks them. What is read belongs elsewhere."""
