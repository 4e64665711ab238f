"""The segmentation function of networks in ONNX form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import scipy
from annotated_types import Ge

from idr_assets.imaging.segmentation.cutting import in_tiles
from idr_assets.imaging.segmentation.decorators import versioned
from idr_assets.imaging.segmentation.models.batches import per_batch
from idr_assets.imaging.segmentation.models.flows import label_flows
from idr_assets.imaging.segmentation.models.loading import ModelError
from idr_assets.imaging.segmentation.models.network_windows import predict
from idr_assets.imaging.segmentation.models.networks import Network, normalise
from idr_assets.imaging.segmentation.models.stars import label_stars
from idr_assets.imaging.segmentation.network_tiles import NetworkTiles
from idr_assets.imaging.segmentation.parameter_types import NotNegative, Percentiles, Share  # noqa: TC001  read when a YAML is checked

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.label_numbers import Labels, Pixels

type Count = Annotated[int, Ge(0)]

THRESHOLDS = {"semantic": 0.5, "distances": 0.5, "flows": 0.0}


def cut_for_network(**parameters: Any) -> NetworkTiles:  # noqa: ANN401  those of the function
    """Say how planes are cut: each is normalised as a whole, and tiles see four times the margin."""
    own = {**parameters, "normalisation": "none"}
    how, percentiles = parameters["normalisation"], parameters["percentiles"]
    return NetworkTiles(onnx_model, own, 4 * parameters["margin"], how=how, percentiles=tuple(percentiles))


@versioned("1")
@in_tiles(cut_for_network)
@per_batch(model=Network, batch=8, packages=("onnxruntime", "onnxruntime-gpu"))
def onnx_model(  # noqa: PLR0913  parameters of a YAML
    planes: Pixels,
    second: Pixels | None = None,
    third: Pixels | None = None,
    *,
    model: Network,
    output: Literal["semantic", "distances", "flows"] = "semantic",
    normalisation: Literal["percentiles", "range", "standard", "none"] = "percentiles",
    percentiles: Percentiles = (1.0, 99.8),
    channels: Count = 0,
    multiple: Annotated[int, Ge(1)] = 16,
    tile: Count = 0,
    margin: Count = 64,
    activation: Literal["none", "sigmoid", "softmax"] = "none",
    channel: int = -1,
    threshold: float | None = None,
    overlap: Share = 0.4,
    flow_error: NotNegative = 0.4,
    iterations: Annotated[int, Ge(1)] = 200,
    minimum_area: NotNegative = 0,
) -> Labels:
    """Label objects by a network in ONNX form. It needs the extra `onnx`.

    In YAML, leave `planes` out. A network of several channels gets them by `inputs: {planes: ..., second: ...}`.

    Parameters
    ----------
    planes, second, third
        (n, y, x) of any real dtype or bool: the channels that the network takes, in this order.
    model
        The network, which YAML names by `weights`: a file `.onnx`, a folder with one, or an address with its SHA-256.
    output
        What it gives: `semantic`, the foreground, whose connected parts are objects; `distances`, StarDist's
        probability and distances along rays; or `flows`, Cellpose's two flows and logit.
    normalisation
        Of each plane and channel by itself: `percentiles` become 0 and 1, the whole `range` does, mean and deviation
        become 0 and 1 (`standard`), or `none`.
    percentiles
        Those that become 0 and 1: 1 and 99.8 by StarDist's example, 1 and 99 by Cellpose.
    channels
        Channels of the network; those that it is not given are 0. By default, it has as many as it is given.
    multiple
        Height and width of what it takes are multiples of this; planes are mirrored beyond their edges.
    tile, margin
        Side of the squares into which larger planes are cut, and the pixels at each side of a square that only help: at
        least as many as the network looks around. 0: it gets whole planes, unless it takes one size only. Planes above
        16 megapixels are cut in any case: no object may be longer than three times the margin.
    activation, channel
        Of `semantic`: what makes probabilities of the output, and which channel is the foreground, the last by default.
    threshold
        Least value of an object's pixels: 0.5 by default, of `flows` 0.
    overlap
        Of `distances`: share of an object above which it is dropped for a more probable one that covers it.
    flow_error, iterations
        Of `flows`: most difference between an object's flows and those of its shape, 0 for any; and steps of a pixel.
    minimum_area
        Objects with fewer pixels are removed. Cellpose's default is 15.

    Returns
    -------
    numpy.ndarray
        Labels (n, y, x) of int32.

    References
    ----------
    U. Schmidt et al., MICCAI 2018; C. Stringer et al., Nature Methods 18 (2021) 100.
    """
    least = THRESHOLDS[output] if threshold is None else threshold
    found = predict(
        model, _stack([planes, second, third], channels, normalisation, percentiles), multiple, tile, margin
    )
    shape = planes.shape[1], planes.shape[2]

    def label(values: Pixels) -> Labels:
        if output == "distances":
            _check(model, values, 4, "a probability and distances along 3 rays or more")
            rays = np.maximum(np.moveaxis(values[1:], 0, 2), 1e-3)  # as StarDist does
            return _drop_small(label_stars(values[0], rays, shape, threshold=least, overlap=overlap), minimum_area)
        if output == "flows":
            _check(model, values, 3, "two flows and a logit for each pixel", shape)
            kinds: dict[str, Any] = {"threshold": least, "error": flow_error, "iterations": iterations}
            return label_flows(values[:2], values[2], **kinds, minimum_area=minimum_area)
        wanted = "a foreground for each pixel" + (f" as channel {channel}" if channel not in {0, -1} else "")
        _check(model, values, max(channel + 1, -channel), wanted, shape)
        return _drop_small(scipy.ndimage.label(_activate(values, activation)[channel] > least)[0], minimum_area)

    return np.stack(list(map(label, found)))


def _stack(given: list[Pixels | None], channels: int, how: Any, percentiles: tuple[float, float]) -> Pixels:  # noqa: ANN401
    """Return normalised planes (n, channels, y, x)."""
    there = [it for it in given if it is not None]
    count, *shape = there[0].shape
    stack = np.zeros((count, max(channels, len(there)), *shape), np.float32)
    for at, one in enumerate(there):
        for to, plane in zip(stack[:, at], one, strict=True):
            to[:] = normalise(plane, how, percentiles)
    return stack


def _activate(values: Pixels, activation: str) -> Pixels:
    if activation == "sigmoid":
        return np.asarray(scipy.special.expit(values))
    return np.asarray(scipy.special.softmax(values, axis=0)) if activation == "softmax" else values


def _drop_small(labels: Labels, minimum_area: float) -> Labels:
    return np.where(np.bincount(labels.ravel())[labels] < minimum_area, 0, labels)


def _check(model: Network, values: Pixels, least: int, what: str, shape: tuple[int, int] | None = None) -> None:
    """Refuse outputs (channels, y, x) of another kind of network."""
    if len(values) < least or (shape and values.shape[1:] != shape):
        message = (
            f"{model.name} returns {values.shape} (channels, y, x) for a plane, and not {what}: it is another network, "
            "or `output` or `channel` names another kind."
        )
        raise ModelError(message)
