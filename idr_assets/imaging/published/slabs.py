"""The work of a dask worker on a slab of planes: read, halve, encode, and write each shard once and whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.output.files import read_ends, write_file
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.planes import MOST_PLANES, Block, LabelledPlane, Plane
from idr_assets.imaging.published.layout import Layout, Level
from idr_assets.imaging.published.pyramid import halve_labels, halve_pixels
from idr_assets.imaging.published.shards import Shard, chunk_codec
from idr_assets.imaging.segmentation.failures import fail_planes
from idr_assets.imaging.segmentation.plane_results import PlaneFailure
from idr_assets.imaging.stores.zarr_settings import own_settings

PIXELS_AT_ONCE = 2**21
"""Pixels that are read at once, unless a plane has more."""


@dataclass(frozen=True)
class PublishedPlane:
    """A plane that was published; `missing` are the segmentations, by name, that have no labels of it."""

    plane: Plane
    missing: tuple[str, ...]


@dataclass(frozen=True)
class SlabTask:
    """What all slabs of a run share: addresses and metadata, never pixels.

    Attributes
    ----------
    url, output, staging : str
        Addresses of the published image, of the output that it is made of, and of the folder in which shards are
        gathered, in a folder for each timepoint.
    labelled : mapping of str to tuple of int
        The channels that have labels, by label group; of the others of the window, pixels alone are published.
    layout : Layout
        Where planes lie.

    """

    url: str
    output: str
    labelled: Mapping[str, tuple[int, ...]]
    layout: Layout
    staging: str

    @property
    def names(self) -> tuple[str, ...]:
        """The label groups."""
        return (*self.labelled,)

    def read(self, output: OutputImage, c: int, t: int, z: Sequence[int]) -> dict[Plane, LabelledPlane | None]:
        """Read planes of a channel from an output; of a channel without labels of its own, with those of another."""
        own = self.labelled[output.name]
        found = output.read_grid([t], [c], z, labels_of=None if c in own else own[0])
        return {Plane(*at): read for at, read in found.items()}

    @own_settings
    def __call__(self, block: Block, *, again: bool = False) -> list[PublishedPlane] | list[PlaneFailure]:  # noqa: ARG002
        """Gather the shards of a slab of planes, all of which fail together."""
        try:
            return self._publish(block)
        except Exception as error:  # noqa: BLE001  a failure of the slab, whatever it is
            return fail_planes(block, error)

    def _publish(self, slab: Block) -> list[PublishedPlane]:
        outputs = [open_output(self.output, name) for name in self.names]
        url = f"{self.staging}/{slab.t[0]}"
        stacks = [_Stack(url, "", self.layout, self.layout.dtype, halve_pixels)] + [
            _Stack(url, f"labels/{name}/", self.layout, np.dtype(np.int32), halve_labels) for name in self.names
        ]
        found = []
        with_labels = {name for name, channels in self.labelled.items() if slab.c[0] in channels}
        for plane, pixels, labels in self._read(outputs, slab):
            values = [labels[name] if name in with_labels else None for name in self.names]
            for stack, each in zip(stacks, [pixels, *values], strict=True):
                stack.add(plane, each, last=plane.z == slab.z[-1])
            missing = [name for name, each in zip(self.names, values, strict=True) if each is None]
            found.append(PublishedPlane(plane, tuple(name for name in missing if name in with_labels)))
        return found

    def _read(
        self, outputs: Sequence[OutputImage], slab: Block
    ) -> Iterator[tuple[Plane, npt.NDArray[Any] | None, dict[str, npt.NDArray[Any] | None]]]:
        """Read the pixels of each plane and its labels in each output; pixels without any labels are missing too.

        Some planes are read at once, which takes a fraction of the time.
        """
        (t,), (c,), (height, width) = slab.t, slab.c, self.layout.plane
        for some in batched(slab.z, max(1, min(MOST_PLANES, PIXELS_AT_ONCE // (height * width)))):
            read = {output.name: self.read(output, c, t, some) for output in outputs}
            for plane in (Plane(t, c, z) for z in some):
                found = {name: planes[plane] for name, planes in read.items()}
                pixels = next((each.pixels for each in found.values() if each), None)
                yield plane, pixels, {name: each.labels if each else None for name, each in found.items()}


class _Stack:
    """The planes of one array and all of its smaller levels, as they come."""

    def __init__(
        self,
        url: str,
        path: str,
        layout: Layout,
        dtype: np.dtype[Any],
        halve: Callable[[npt.NDArray[Any]], npt.NDArray[Any]],
    ) -> None:
        self._url, self._path, self._layout, self._halve = url, path, layout, halve
        self._codecs = [chunk_codec(dtype, level.tile) for level in layout.levels]
        self._shards = [self._begin(number) for number in range(len(layout.levels))]

    def add(self, plane: Plane, values: npt.NDArray[Any] | None, *, last: bool) -> None:
        """Add a plane (y, x), or None for one that is missing; write the shards that are full, or all if it is last."""
        _, _, z = self._layout.place(plane)
        for number, level in enumerate(self._layout.levels):
            if values is not None:
                values = self._halve(values) if number else values
                self._shards[number].add(z % level.depth, values)
            if last or (z + 1) % level.depth == 0:
                self._write(f"{self._path}{self._layout.shard_key(plane, level)}", self._shards[number])
                self._shards[number] = self._begin(number)

    def _begin(self, number: int) -> Shard:
        level: Level = self._layout.levels[number]
        return Shard(self._codecs[number], (level.depth, *level.grid))

    def _write(self, key: str, shard: Shard) -> None:
        """Write a shard and read it back; without any plane there is none."""
        url = f"{self._url}/{key}"
        if (body := shard.close()) is None:
            return
        write_file(url, body)
        if (read_ends(self._url, [key], 0)[0] or b"") != body:
            message = (
                f"The shard {mask(url)} was written, but comes back different: it does not count as published. Check "
                "the disk or store that holds it; then materialize `published` again."
            )
            raise ImageError(message)
