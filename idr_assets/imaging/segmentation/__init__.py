"""Segment planes: the road of a block from the source to stored labels, and the functions that label.

The functions and decorators are handed out here, since their paths stand in recipes and in the YAML files of users.
"""

from idr_assets.imaging.segmentation.cutting import in_tiles
from idr_assets.imaging.segmentation.decorators import per_plane, per_stack, per_volume, versioned
from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed
from idr_assets.imaging.segmentation.models.batches import per_batch
from idr_assets.imaging.segmentation.models.library_models import cellpose_model, stardist_model
from idr_assets.imaging.segmentation.onnx_functions import onnx_model
from idr_assets.imaging.segmentation.volume_functions import joined_over_z, otsu_watershed_3d

__all__ = [
    "cellpose_model",
    "gaussian_threshold",
    "in_tiles",
    "joined_over_z",
    "onnx_model",
    "otsu_watershed",
    "otsu_watershed_3d",
    "per_batch",
    "per_plane",
    "per_stack",
    "per_volume",
    "stardist_model",
    "versioned",
]
