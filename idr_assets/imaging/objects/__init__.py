"""Measure the objects of label planes, and store one table for each timepoint. Reads the output, never the source.

The decorator of users' functions is handed out here.
"""

from idr_assets.imaging.objects.more_measurements import measurement

__all__ = ["measurement"]
