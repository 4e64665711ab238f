"""The assets of an image, one file each: prepare, do, report. Nothing here imports `automation`."""
