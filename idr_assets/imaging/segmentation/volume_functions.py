"""Segmentation functions of volumes: objects that span slices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from idr_assets.imaging.segmentation.decorators import per_volume, versioned
from idr_assets.imaging.segmentation.foreground import find_foreground, split_objects
from idr_assets.imaging.segmentation.joining import join_slices
from idr_assets.imaging.segmentation.named_function import import_function
from idr_assets.imaging.segmentation.parameter_types import NotNegative, Positive, Share  # noqa: TC001  read when a YAML is checked

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels


@versioned("1")
@per_volume
def otsu_watershed_3d(  # noqa: PLR0913  parameters of a YAML
    volume: Pixels,
    *,
    slice_step: Positive = 1.0,
    sigma: NotNegative = 1.0,
    background_sigma: Positive = 10,
    minimum_volume: NotNegative = 50,
    split_depth: NotNegative = 0.5,
) -> Labels:
    """Label bright objects of a volume on an uneven background, and split those that touch.

    As `otsu_watershed` does in a plane, with one threshold for the volume. In YAML, leave `volume` out.

    Parameters
    ----------
    volume
        (z, y, x) of any real dtype or bool.
    slice_step
        Distance of two slices, in pixels of a plane: 5 if slices are 2 µm apart and pixels 0.4 µm wide.
    sigma
        Sigma of the gaussian that smooths the volume, in pixels of a plane.
    background_sigma
        Sigma of the gaussian that gives the background, in pixels of a plane: about twice an object's radius.
    minimum_volume
        Objects with fewer voxels are removed.
    split_depth
        How much narrower than both its sides a neck must be to split an object, in pixels of half-width.

    Returns
    -------
    numpy.ndarray
        Labels (z, y, x) of int32. An object has one number in all its slices.
    """
    steps = (slice_step, 1.0, 1.0)
    foreground = find_foreground(volume, *([size / step for step in steps] for size in (sigma, background_sigma)))
    return split_objects(foreground, steps, split_depth, minimum_volume)


@versioned("1", calls_named=True)
@per_volume
def joined_over_z(
    volume: Pixels, *, function: str, parameters: dict[str, Any] | None = None, iou: Share = 0.25
) -> Labels:
    """Label each slice by a function of planes, and join the labels of neighbouring slices into objects.

    Two objects of neighbouring slices are one if each overlaps the other best, by intersection over union. In YAML,
    leave `volume` out.

    Parameters
    ----------
    volume
        (z, y, x) of any real dtype or bool.
    function
        Dotted path of a function with `@per_plane` or `@per_stack`.
    parameters
        Its keyword arguments.
    iou
        Least intersection over union of two objects that are joined.

    Returns
    -------
    numpy.ndarray
        Labels (z, y, x) of int32, numbered by their first slice. An object has one number in all its slices.
    """
    from idr_assets.imaging.segmentation.labelling import label  # noqa: PLC0415  dask, for a run only

    labels, _ = label(import_function(function), parameters or {}, volume[np.newaxis, np.newaxis], volume.shape[1:])
    return join_slices(labels[0, 0], iou)
