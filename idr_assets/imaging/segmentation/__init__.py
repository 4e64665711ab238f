"""Segment planes: the road of a block from the source to stored labels, and the functions that label.

The functions are handed out here, since their paths stand in recipes and in the YAML files of users.
"""

from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed, per_plane, versioned

__all__ = ["gaussian_threshold", "otsu_watershed", "per_plane", "versioned"]
