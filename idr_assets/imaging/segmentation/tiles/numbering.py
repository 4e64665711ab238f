"""Join what tiles hold of the same objects, and number objects through the plane."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import scipy

from idr_assets.imaging.segmentation.tiles.forms import TiledForm
from idr_assets.imaging.segmentation.tiles.jobs import TileLabels

type Numbers = list[npt.NDArray[np.int32]]
"""For each tile, a number for each of its labels, 0 among them."""


def join_tiles(form: TiledForm, found: Sequence[TileLabels]) -> Numbers:
    """Give the labels of tiles that are one object, or one piece, the same number; each other label its own."""
    ends = np.cumsum([len(tile.begins) for tile in found])
    starts = ends - [len(tile.begins) for tile in found]
    pairs = [np.zeros((0, 2), np.intp)]
    for here, tile in enumerate(found):
        for there, seam in tile.seams.items():
            if there > here:
                joined = form.join(seam.unpack(), found[there].seams[here].unpack())
                pairs.append(joined - 1 + [starts[here], starts[there]])
    one, other = np.concatenate(pairs).T
    total = int(ends[-1])
    graph = scipy.sparse.coo_array((np.ones(len(one), bool), (one, other)), (total, total))
    of_all = scipy.sparse.csgraph.connected_components(graph, directed=False)[1]
    return [np.insert(of_all[start:end] + 1, 0, 0) for start, end in zip(starts, ends, strict=True)]


def find_begins(found: Sequence[TileLabels], numbers: Numbers) -> npt.NDArray[np.int64]:
    """Return where each numbered object begins: at the first pixel of those that it has in all tiles."""
    total = max((int(own.max()) for own in numbers), default=0)
    begins = np.full(total + 1, np.iinfo(np.int64).max)
    for tile, own in zip(found, numbers, strict=True):
        np.minimum.at(begins, own[1:], tile.begins)
    return begins


def rank(begins: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Give objects numbers from 1 by where they begin."""
    numbers = np.empty(len(begins), np.int32)
    numbers[np.argsort(begins, kind="stable")] = np.arange(1, len(begins) + 1)
    return numbers


def group_pieces(found: Sequence[TileLabels], numbers: Numbers) -> dict[int, list[Mapping[int, list[int]]]]:
    """Group pieces that are to be split: by the tile where each begins, the labels of each by their tiles."""
    pieces: dict[int, dict[int, list[int]]] = {}
    first: dict[int, int] = {}
    begins = find_begins(found, numbers)
    for at, (tile, own) in enumerate(zip(found, numbers, strict=True)):
        for label in range(tile.whole + 1, len(own)):
            number = int(own[label])
            pieces.setdefault(number, {}).setdefault(at, []).append(label)
            if tile.begins[label - 1] == begins[number]:
                first[number] = at
    grouped: dict[int, list[Mapping[int, list[int]]]] = {}
    for number, labels in pieces.items():
        grouped.setdefault(first[number], []).append(labels)
    return grouped
