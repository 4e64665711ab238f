"""What a segmentation function works on: what it must get, and so how planes are cut into blocks.

One object, attached to the function, says all of it, and only its methods act on it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.planes import Block, block_size

if TYPE_CHECKING:
    from idr_assets.imaging.reading.level import Level
    from idr_assets.imaging.segmentation.tiles.forms import TiledForm

type Unit = Literal["plane", "stack", "volume"]

LINES = (
    "`@per_plane` if it takes one plane (y, x), `@per_volume` if it takes all slices (z, y, x) of one t and c, "
    "`@per_stack` if it takes a lazy dask stack (n, y, x) of planes that do not depend on each other, `@per_batch` if "
    "it takes such planes and a model"
)
"""The lines to choose from, for a message."""


@dataclass(frozen=True)
class WorksOn:
    """What a segmentation function works on.

    Attributes
    ----------
    unit : {"plane", "stack", "volume"}
        What it gets at once: a plane, several planes that it labels as if each were alone, or all slices of a timepoint
        and channel. Labels are numbered from 1 in each plane or volume.
    inputs : mapping of str to int
        The channels that it gets, by the names of its arguments. If empty, it gets each channel by itself.
    neighbours : mapping of str to (int, int)
        How many planes around a plane it gets along t and z, on each side, and the length of that axis. An array then
        has these axes before its own; beyond the first and the last plane of the image these are repeated.
    together : tuple of int
        The channels whose pixels are read and stored with the labels of a plane, `inputs` among them. If empty, those
        of its own channel are.
    tiles : callable or None
        Makes of parameters the form by which a large plane is cut; if None, it is never cut.

    """

    unit: Unit
    inputs: Mapping[str, int] = field(default_factory=dict)
    together: tuple[int, ...] = ()
    neighbours: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tiles: "Callable[..., TiledForm] | None" = field(default=None, compare=False)

    @property
    def by_units(self) -> bool:
        """Whether the function is called with numpy arrays of one plane or volume after the other."""
        return bool(self.inputs or self.neighbours) and self.unit != "stack"

    @property
    def why(self) -> str:
        """Say why more than a block is read for it."""
        if self.unit == "volume":
            return "read for the whole volume, which is all slices of the image, even those outside of `window`"
        if self.neighbours:
            return "read with the planes around it, even those outside of `window`"
        return "read with the other channels that belong to these labels"

    def reach(self, block: Block, shape: Sequence[int]) -> Block:
        """Return the planes that must be read to label those of a block, in an image of this shape (t, c, z, ...)."""
        z = range(shape[2]) if self.unit == "volume" else self._widen("z", block.z)
        return replace(block, t=self._widen("t", block.t), c=self.together or block.c, z=z)

    def inputs_of(self, block: Block, shape: Sequence[int]) -> Block:
        """Return the planes of which the function itself gets pixels, for a block in an image of this shape."""
        return replace(self.reach(block, shape), c=tuple(sorted({*self.inputs.values()})) or block.c)

    def _widen(self, axis: str, indices: range) -> range:
        most, length = self.neighbours.get(axis, (0, indices.stop))
        return range(max(0, indices.start - most), min(length, indices.stop + most))

    def _around(self, axis: str, index: int, read: range) -> Any:  # noqa: ANN401  an index of numpy
        """Return where a plane, or the planes around it, lie among those that were read along an axis."""
        if axis not in self.neighbours:
            return index - read.start
        most = self.neighbours[axis][0]
        return np.clip(np.arange(index - most, index + most + 1), read.start, read.stop - 1) - read.start

    def cut(self, block: Block, level: "Level", threads: int) -> Iterator[Block]:
        """Cut a block into blocks that are one task each; no chunk of the level is in two of them.

        A volume is never cut, however large it is.
        """
        if self.unit == "volume":
            return block.volumes(*level.chunks[:2])
        height, width = level.plane_shape
        height *= max(1, len(self.together) // len(block.c))
        return block.cut(level.chunks, block_size((height, width), len(block), threads))

    def parts(self, block: Block) -> list[Block]:
        """Cut a block into the smallest blocks that can be labelled."""
        return list(block.volumes()) if self.unit == "volume" else block.single_planes()

    def stack(self, pixels: npt.NDArray[Any], block: Block, read: Block) -> list[npt.NDArray[Any]]:
        """Return each input of a block, from pixels (t, c, z, y, x) of what was read: (n, y, x), or (n, z, y, x)."""
        of_inputs: list[tuple[int, ...]] = [(channel,) for channel in self.inputs.values()] or [block.c]
        shape = (-1, *pixels.shape[2 if self.unit == "volume" else 3 :])
        own = ([read.c.index(c) for c in channels] for channels in of_inputs)
        return [(pixels if read.c == block.c else pixels[:, at]).reshape(shape) for at in own]

    def units(self, pixels: npt.NDArray[Any], block: Block, read: Block) -> Iterator[list[npt.NDArray[Any]]]:
        """Yield the inputs of each plane (y, x) or volume (z, y, x) of a block, in the order of its axes t, c, z.

        Neighbours come first: (t, y, x), (z, y, x), (t, z, y, x), or (t, z, y, x) of volumes.
        """
        whole = self.unit == "volume"
        slices: list[Any] = [slice(None)] if whole else [self._around("z", z, read.z) for z in block.z]
        for t, c, z in product(block.t, block.c, slices):
            channels, times = [*self.inputs.values()] or [c], self._around("t", t, read.t)
            each = (pixels[times, read.c.index(channel)] for channel in channels)
            yield [values[:, z] if "t" in self.neighbours else values[z] for values in each]

    def call(self, function: Callable[..., Any], arrays: Sequence[Any], parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Call a function with one array, or with the arrays of its inputs by their names."""
        if self.inputs:
            return function(**dict(zip(self.inputs, arrays, strict=True)), **parameters)
        return function(*arrays, **parameters)


def declare[F: Callable[..., Any]](function: F, unit: Unit) -> F:
    """Attach to a function what it works on; raise TypeError if it has that already."""
    if "works_on" in vars(function):
        message = f"{function.__qualname__} has two decorators that say what it works on; remove one of them."
        raise TypeError(message)
    vars(function)["works_on"] = WorksOn(unit)
    return function


def works_on(function: Callable[..., Any]) -> WorksOn:
    """Return what a segmentation function works on; raise TypeError, with the line to add, if it does not say so."""
    declared = getattr(function, "works_on", None)
    if isinstance(declared, WorksOn):
        return declared
    name, code = getattr(function, "__qualname__", repr(function)), getattr(function, "__code__", None)
    where = f" ({code.co_filename}:{code.co_firstlineno})" if code else ""
    remedy = "Add a line above it" if code else "Write a Python function that calls it, with a line above it"
    message = (
        f"{name}{where} does not say what it works on, so that labels of a plane could depend on the planes that are "
        f"launched with it. {remedy}: {LINES}; all are in `idr_assets.imaging.segmentation`"
    )
    raise TypeError(message)
