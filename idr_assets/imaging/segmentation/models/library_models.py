"""Segmentation functions of Cellpose and StarDist, which call these libraries; they come with extras."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  read when a YAML is checked
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from idr_assets.imaging.segmentation.decorators import versioned
from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels  # noqa: TC001  as above
from idr_assets.imaging.segmentation.models.batches import per_batch
from idr_assets.imaging.segmentation.models.extras import import_extra
from idr_assets.imaging.segmentation.models.networks import normalise
from idr_assets.imaging.segmentation.parameter_types import NotNegative, Percentiles, Positive, Share  # noqa: TC001  as above


def load_cellpose(weights: Path) -> Any:  # noqa: ANN401  cellpose has no types
    """Load a network of Cellpose, on a GPU if there is one."""
    return import_extra("cellpose.models", "cellpose").CellposeModel(gpu=True, pretrained_model=str(weights))


@versioned("1")
@per_batch(model=load_cellpose, batch=8, packages=("cellpose", "torch"))
def cellpose_model(  # noqa: PLR0913  parameters of a YAML
    planes: Pixels,
    second: Pixels | None = None,
    third: Pixels | None = None,
    *,
    model: Any,  # noqa: ANN401
    diameter: Positive | None = None,
    threshold: float = 0.0,
    flow_error: NotNegative = 0.4,
    minimum_area: Annotated[int, Ge(0)] = 15,
    patches: Annotated[int, Ge(1)] = 8,
) -> Labels:
    """Label objects by Cellpose. It needs the extra `cellpose`.

    In YAML, leave `planes` out. Several channels, in any order, go by `inputs: {planes: ..., second: ...}`.

    Parameters
    ----------
    planes, second, third
        (n, y, x) of any real dtype or bool: the channels.
    model
        The network, which YAML names by `weights`: a file of Cellpose 4, for example a trained one.
    diameter
        Width of objects, in pixels, if it is far from the 30 that the network is for.
    threshold, flow_error
        Cellpose's `cellprob_threshold` and `flow_threshold`.
    minimum_area
        Objects with fewer pixels are removed.
    patches
        How many squares of planes the network gets at once.

    Returns
    -------
    numpy.ndarray
        Labels (n, y, x) of integers.

    References
    ----------
    M. Pachitariu, M. Rariden, C. Stringer, Cellpose-SAM, bioRxiv 2025.
    """
    stack = np.zeros((*planes.shape, 3), np.float32)
    for at, channel in enumerate(it for it in (planes, second, third) if it is not None):
        stack[..., at] = channel
    labels = model.eval(
        stack,
        channel_axis=-1,
        batch_size=patches,
        diameter=diameter,
        cellprob_threshold=threshold,
        flow_threshold=flow_error,
        min_size=minimum_area or -1,
    )[0]
    return np.asarray(labels).reshape(planes.shape).astype(np.int32)


class StarDist:
    """A network of StarDist from its folder, which has `config.json` and weights."""

    def __init__(self, weights: Path) -> None:
        """Load it, with the thresholds that its folder may hold."""
        models = import_extra("stardist.models", "stardist")
        self.model = models.StarDist2D(None, name=weights.name, basedir=str(weights.parent))
        devices = import_extra("tensorflow", "stardist").config.list_logical_devices()
        self.device = "GPU" if any(it.device_type == "GPU" for it in devices) else "CPU"

    def predict(self, planes: Pixels) -> tuple[Pixels, Pixels]:
        """Return probabilities (n, y, x) and distances (n, y, x, rays) on the network's grid, of planes (n, y, x)."""
        shape, grid = planes.shape[1:], self.model.config.grid
        steps = self.model._axes_div_by("YX")  # noqa: SLF001  what the network halves, and how often
        ends = [(0, -length % step) for length, step in zip(shape, steps, strict=True)]
        padded = np.pad(planes, [(0, 0), *ends], mode="reflect")
        found = self.model.keras_model.predict_on_batch(padded[..., np.newaxis])
        rows, columns = (-(-length // step) for length, step in zip(shape, grid, strict=True))
        probability, distances = (np.asarray(it)[:, :rows, :columns] for it in found[:2])
        return probability[..., 0], np.maximum(1e-3, distances)


@versioned("1")
@per_batch(model=StarDist, batch=8, packages=("stardist", "tensorflow"))
def stardist_model(
    planes: Pixels,
    *,
    model: StarDist,
    threshold: Share | None = None,
    overlap: Share | None = None,
    percentiles: Percentiles = (1.0, 99.8),
) -> Labels:
    """Label star-convex objects, such as nuclei, by StarDist. It needs the extra `stardist`.

    In YAML, leave `planes` out.

    Parameters
    ----------
    planes
        (n, y, x) of any real dtype or bool.
    model
        The network, which YAML names by `weights`: a folder of StarDist with `config.json` and `weights_best.h5`.
    threshold, overlap
        StarDist's `prob_thresh` and `nms_thresh`; by default those of the folder.
    percentiles
        Of a plane's intensities, those that become 0 and 1.

    Returns
    -------
    numpy.ndarray
        Labels (n, y, x) of int32.

    References
    ----------
    U. Schmidt et al., MICCAI 2018.
    """
    suppress = import_extra("stardist.nms", "stardist").non_maximum_suppression
    draw = import_extra("stardist.geometry", "stardist").polygons_to_label
    given = {
        "prob_thresh": threshold or model.model.thresholds.prob,
        "nms_thresh": overlap or model.model.thresholds.nms,
    }
    normal = np.stack([normalise(plane, "percentiles", percentiles) for plane in planes])
    labels = []
    for probability, distances in zip(*model.predict(normal), strict=True):
        points, scores, kept = suppress(distances, probability, grid=model.model.config.grid, **given)
        labels.append(draw(kept, points, prob=scores, shape=planes.shape[1:]))
    return np.stack(labels)
