"""The scale of a level of an image that gives no sizes: how many pixels of the first level one of its pixels covers."""

from collections.abc import Sequence

import zarr
from zarr.abc.store import Store
from zarr.errors import NodeNotFoundError


def compare_shapes(first: str, level: str, dimensions: int, store: Store) -> tuple[Sequence[float | None], list[float]]:
    """Compare the shapes of a level and of the first one; of the first itself, or without it, no scale is known."""
    paths = [first, level]
    shapes = [_shape(store, path) for path in paths] if len(set(paths)) > 1 else []
    if {len(shape) for shape in shapes} != {dimensions}:
        return [None] * dimensions, [0.0] * dimensions
    factors = [_factor(many, few) for many, few in zip(*shapes, strict=True)]
    return factors, [(factor - 1) / 2 for factor in factors]


def _shape(store: Store, path: str) -> tuple[int, ...]:
    """Give the shape of an array, () where it does not exist or is damaged."""
    try:
        return zarr.open_array(store, path=path, mode="r").shape
    except (NodeNotFoundError, FileNotFoundError, KeyError, TypeError, ValueError):
        return ()


def _factor(many: int, few: int) -> float:
    """Find the factor by which an axis was reduced: a whole one where that leaves `few` pixels, rounded either way."""
    whole = max(1, round(many / few))
    return float(whole) if few in {many // whole, -(-many // whole)} else many / few
