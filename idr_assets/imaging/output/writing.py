"""Write planes to the output, so that labels never lie on other pixels than their own."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import batched, chain, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from idr_assets.imaging.errors import DAMAGED
from idr_assets.imaging.output.arrays import clear_planes, is_same, write_planes
from idr_assets.imaging.output.files import read_ends, remove_file
from idr_assets.imaging.output.output_image import OutputImage
from idr_assets.imaging.output.plane_files import Bodies
from idr_assets.imaging.output.store_faults import explain_writes
from idr_assets.imaging.planes import Block, Plane

type Groups = Mapping[Plane, list[tuple[str, Plane]]]
"""By plane, the label group and the plane of all labels that lie on its pixels."""


def store_planes(output: OutputImage, block: Block, pixels: npt.NDArray[Any], labels: npt.NDArray[np.int32]) -> Bodies:
    """Store the planes of a block; no other plane is touched.

    Labels are written last, and before anything is written, labels of other pixels are removed from every label group:
    a plane whose labels can be read has the pixels that they were made from, unless two runs write different pixels of
    it at the same moment. If all of the block's pixels are stored already, bit for bit, only labels are written.

    Parameters
    ----------
    output : OutputImage
        Where planes are stored.
    block : Block
        The planes.
    pixels, labels : ndarray
        (t, c, z, y, x) each; labels are int32, and pixels of `OutputImage.pixel_block`.

    Returns
    -------
    dict
        The bodies of chunks that were written as files, by their keys.

    Raises
    ------
    ImageError
        If they cannot be written, for example because the disk is full.

    """
    of_pixels = output.pixel_block(block)
    with explain_writes(output.url):
        groups = find_groups(output, of_pixels)
        same = all(groups.values()) and _has_pixels(output, of_pixels, pixels)
        replaced = block.planes() if output.chunks_per_plane > 1 else []
        _clear_the_way(output, groups, [] if same else [*pixels.reshape(-1, *pixels.shape[3:])], replaced)
    if same:
        clear_planes(of_pixels, output.pixels)
    parts = [] if same else [(output.pixels, of_pixels, pixels)]
    return write_planes(output.url, *parts, (output.labels, block, labels))


def remove_labels(output: OutputImage, block: Block) -> None:
    """Remove the labels of a block, so that its planes are not stored; pixels stay, for other label groups."""
    remove_chunks(output, [(output.name, plane) for plane in block.planes()])


def find_groups(output: OutputImage, block: Block) -> Groups:
    """List the labels that lie on the pixels of each plane, whole or in part; asking for all chunks at once is fast."""
    names = output.label_groups()
    each = [(plane, name, c) for plane in block.planes() for name in names for c in _on(output, name, plane)]
    labels = [(name, replace(plane, c=c)) for plane, name, c in each]
    keys = chain(*(output.label_keys(plane, name) for name, plane in labels))
    ends = batched(read_ends(output.url, [*keys], 1), output.chunks_per_plane)
    found: dict[Plane, list[tuple[str, Plane]]] = {plane: [] for plane in block.planes()}
    for (plane, *_), own, stored in zip(each, labels, ends, strict=True):
        if any(end is not None for end in stored):
            found[plane].append(own)
    return found


def _on(output: OutputImage, name: str, plane: Plane) -> set[int]:
    """Return the channels whose labels in a group may be made from the pixels of a plane."""
    together = output.together.get(name, ())
    return {plane.c, *(together if plane.c in together else ())}


def _clear_the_way(
    output: OutputImage, groups: Groups, pixels: Sequence[npt.NDArray[Any]], replaced: Collection[Plane]
) -> None:
    """Remove labels of other pixels than these, and those that are replaced, but not in one step."""
    for plane, values in zip_longest(groups, pixels):
        if values is not None and groups[plane] and not _has_pixels(output, plane.block, values):
            remove_chunks(output, groups[plane])
        elif plane in replaced and (output.name, plane) in groups[plane]:
            remove_chunks(output, [(output.name, plane)])


def _has_pixels(output: OutputImage, block: Block, pixels: npt.NDArray[Any]) -> bool:
    """Return whether all pixels of a block are stored as they are; what cannot be read is not."""
    try:
        stored = np.asarray(output.pixels.oindex[np.array(block.t), np.array(block.c), np.array(block.z)])
    except (OSError, *DAMAGED):
        return False
    return is_same(stored, pixels.reshape(stored.shape))


def remove_chunks(output: OutputImage, labels: Iterable[tuple[str, Plane]]) -> None:
    """Remove the chunks of planes of label groups."""
    for key in chain(*(output.label_keys(plane, name) for name, plane in labels)):
        remove_file(f"{output.url}/{key}")
