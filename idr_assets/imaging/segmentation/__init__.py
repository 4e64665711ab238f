"""Segment planes: the road of a block from the source to stored labels, and the functions that label.

The functions and decorators are handed out here, since their paths stand in recipes and in the YAML files of users.
"""

from idr_assets.imaging.segmentation.decorators import per_plane, per_stack, per_volume, versioned
from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed

__all__ = ["gaussian_threshold", "otsu_watershed", "per_plane", "per_stack", "per_volume", "versioned"]
