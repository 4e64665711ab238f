"""Write planes to the output, so that labels never lie on other pixels than their own."""

from collections.abc import Mapping, Sequence
from itertools import batched, chain, product, zip_longest
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

type Groups = Mapping[Plane, list[str]]


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
        (t, c, z, y, x) each; labels are int32.

    Returns
    -------
    dict
        The bodies of chunks that were written as files, by their keys.

    Raises
    ------
    ImageError
        If they cannot be written, for example because the disk is full.

    """
    with explain_writes(output.url):
        groups = _find_groups(output, block)
        same = all(groups.values()) and _has_pixels(output, block, pixels)
        _clear_the_way(output, groups, [] if same else [*pixels.reshape(-1, *pixels.shape[3:])])
    if same:
        clear_planes(block, output.pixels)
    return write_planes(output.url, block, *([] if same else [(output.pixels, pixels)]), (output.labels, labels))


def remove_labels(output: OutputImage, block: Block) -> None:
    """Remove the labels of a block, so that its planes are not stored; pixels stay, for other label groups."""
    for plane in block.planes():
        _remove(output, plane, [output.name])


def _find_groups(output: OutputImage, block: Block) -> Groups:
    """List the label groups that have any chunk of each plane; asking for all chunks at once is fast."""
    each = list(product(block.planes(), output.label_groups()))
    keys = chain(*(output.label_keys(plane, name) for plane, name in each))
    ends = batched(read_ends(output.url, [*keys], 1), output.chunks_per_plane)
    found: dict[Plane, list[str]] = {plane: [] for plane in block.planes()}
    for (plane, name), own in zip(each, ends, strict=True):
        if any(end is not None for end in own):
            found[plane].append(name)
    return found


def _clear_the_way(output: OutputImage, groups: Groups, pixels: Sequence[npt.NDArray[Any]]) -> None:
    """Remove labels of other pixels than these, and labels of several chunks, which are not replaced in one step."""
    for plane, values in zip_longest(groups, pixels):
        if values is not None and groups[plane] and not _has_pixels(output, plane.block, values):
            _remove(output, plane, groups[plane])
        elif output.name in groups[plane] and output.chunks_per_plane > 1:
            _remove(output, plane, [output.name])


def _has_pixels(output: OutputImage, block: Block, pixels: npt.NDArray[Any]) -> bool:
    """Return whether all pixels of a block are stored as they are; what cannot be read is not."""
    try:
        stored = np.asarray(output.pixels.oindex[np.array(block.t), np.array(block.c), np.array(block.z)])
    except (OSError, *DAMAGED):
        return False
    return is_same(stored, pixels.reshape(stored.shape))


def _remove(output: OutputImage, plane: Plane, names: Sequence[str]) -> None:
    for key in chain(*(output.label_keys(plane, name) for name in names)):
        remove_file(f"{output.url}/{key}")
