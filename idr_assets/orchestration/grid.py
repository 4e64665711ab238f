"""How planes become partitions: rows and slices, as an image has them. A plate has other rows, and overrides this."""

from typing import ClassVar

from idr_assets.imaging.planes import Plane, index_key


class Grid:
    """The partitions of an image: a row for each timepoint, a column for each slice.

    Attributes
    ----------
    row_axis : str
        Name of the dimension of rows.
    source_asset : str
        Name of the asset of the source.
    figures, measures : tuple of str
        Names of the assets that show and that measure the labels.
    has_neighbours : bool
        Whether planes of consecutive rows look alike.
    is_healed : bool
        Whether an output that was damaged from outside is healed.

    """

    shape: tuple[int, ...]
    row_axis: ClassVar[str] = "t"
    source_asset: ClassVar[str] = "source_image"
    figures: ClassVar[tuple[str, ...]] = ("montage", "plane_browser")
    measures: ClassVar[tuple[str, ...]] = ("objects", "object_counts")
    has_neighbours: ClassVar[bool] = True
    is_healed: ClassVar[bool] = True

    def row_key(self, t: int) -> str:
        """Return the key of a row, for example `261`."""
        return index_key(t, self.shape[0])

    def row_of(self, key: str) -> int:
        """Return the timepoint of the row with a key; `ValueError` if there is none."""
        return int(key)

    def measured_row(self, key: str) -> int:
        """Return the first timepoint of a partition of `objects`."""
        return int(key)

    def name_plane(self, plane: Plane) -> str:
        """Return the name of a plane in messages."""
        return str(plane)
