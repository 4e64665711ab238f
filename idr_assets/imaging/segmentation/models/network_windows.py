"""What a network makes of whole planes: they are mirrored to sizes that it takes, and large ones are cut."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from idr_assets.imaging.segmentation.models.loading import ModelError
from idr_assets.imaging.segmentation.models.networks import Array, Network


def predict(network: Network, planes: Array, multiple: int, tile: int, margin: int) -> Array:
    """Return what a network makes of planes (n, channels, y, x): outputs (n, channels, y, x), on a grid of its own.

    Planes are mirrored beyond their ends to a `multiple` of pixels. Those larger than `tile` are cut into squares, of
    which `margin` pixels at each inner side only help.
    """
    shape, fixed = planes.shape[2:], network.size(planes.shape[1])
    least = [-(-length // multiple) * multiple for length in shape]
    sides = fixed or [min(tile or length, length) for length in least]
    whole = [max(pair) for pair in zip(least, sides, strict=True)]
    cut = [side for side, length in zip(sides, whole, strict=True) if side < length]
    if cut and (min(cut) <= 2 * margin or any(it % multiple for it in (*sides, margin))):
        message = (
            f"Squares of {sides[0]} x {sides[1]} pixels with margins of {margin} do not cover planes of {shape}: the "
            f"side must be above twice `margin`, and both multiples of {multiple}, which is `multiple`."
        )
        raise ModelError(message)
    ends = [(0, length - own) for length, own in zip(whole, shape, strict=True)]
    padded = np.pad(planes, [(0, 0), (0, 0), *ends], mode="symmetric")
    found, grid = np.empty(0, np.float32), 1
    for y, x in product(*(_cut(*each, margin) for each in zip(whole, sides, strict=True))):
        values = network(padded[:, :, y.start : y.start + sides[0], x.start : x.start + sides[1]])
        if not found.size:
            grid = sides[0] // values.shape[2]
            found = np.empty((*values.shape[:2], *(length // grid for length in whole)), np.float32)
        found[:, :, y.kept(grid), x.kept(grid)] = values[:, :, y.own(grid), x.own(grid)]
    return found[:, :, : -(-shape[0] // grid), : -(-shape[1] // grid)]


@dataclass(frozen=True)
class _Window:
    """A part of an axis that a network gets, and the part of it whose outputs count."""

    start: int
    first: int
    last: int

    def kept(self, grid: int) -> slice:
        return slice(self.first // grid, self.last // grid)

    def own(self, grid: int) -> slice:
        return slice((self.first - self.start) // grid, (self.last - self.start) // grid)


def _cut(length: int, side: int, margin: int) -> list[_Window]:
    starts = [*range(0, length - side, max(1, side - 2 * margin)), length - side]
    ends = (
        (start + margin if start else 0, start + side - margin if start + side < length else length) for start in starts
    )
    return [_Window(start, *both) for start, both in zip(starts, ends, strict=True)]
