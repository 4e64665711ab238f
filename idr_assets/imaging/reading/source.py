"""Where a level of an image is, which shape and dtype the YAML expects, and how it is read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from idr_assets.imaging.errors import ImageError, mask
from idr_assets.imaging.planes import Block, has_grown
from idr_assets.imaging.reading.level import Level, open_level
from idr_assets.imaging.reading.probe import check_pixels
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.store_text import quote


@dataclass(frozen=True)
class Source:
    """One level of an image in its store, in plain values; nothing is read when it is made.

    Attributes
    ----------
    address : str
        http, https, s3 or another fsspec URL, or a local path.
    level : str
        Path of the level in the image's multiscales.
    shape : tuple of int, optional
        The expected shape TCZYX; any shape if None.
    dtype : str, optional
        The expected dtype, such as `uint16` in any byte order or `>u2` in this one; any dtype if None.
    storage_options : mapping
        Arguments of the fsspec filesystem.
    patience : Patience
        How often and how long a read is tried again.
    missing_chunks : {"error", "zeros"}
        What a chunk that does not exist means.
    axes : tuple of str, optional
        The axes of an array without OME-Zarr metadata, letters of TCZYX in the order of its dimensions.
    channel_names : mapping of int to str
        The names that the YAML gives channels which are segmented.

    """

    address: str = field(repr=False)
    level: str
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    patience: Patience = PATIENT
    missing_chunks: Literal["error", "zeros"] = "error"
    axes: tuple[str, ...] | None = None
    channel_names: Mapping[int, str] = field(default_factory=dict)

    def open(self) -> Level:
        """Open the level, whatever its shape and dtype; `ImageError` where it cannot be opened."""
        return open_level(
            self.address,
            self.level,
            self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
            axes=self.axes,
        )

    def check(self, level: Level) -> None:
        """Raise `ImageError` unless the level has the expected dtype, channels and shape, or more of T and Z."""
        if self.shape and not has_grown(level.shape, self.shape):
            self._compare("shape", level.shape, self.shape)
        if self._byte_order_given:
            self._compare("dtype", level.dtype.str, np.dtype(self.dtype).str)
        elif self.dtype:
            self._compare("dtype", level.dtype.newbyteorder("="), np.dtype(self.dtype))
        self._compare_channels(level)

    def describe_growth(self, level: Level) -> str | None:
        """Say what to write if the level has more timepoints or slices than expected; None if it has not."""
        if not (self.shape and has_grown(level.shape, self.shape)):
            return None
        return (
            f"Level {self.level!r} of {mask(self.address)} has grown to shape {list(level.shape)}, but the YAML says "
            f"{list(self.shape)}, so that its new planes have no partitions. To segment them, write `shape: "
            f"{list(level.shape)}` in the YAML, and widen `window` unless it says `all`."
        )

    def probe(self, level: Level, window: Block) -> None:
        """Read a part of one plane of the window; `ImageError` unless its pixels are what the metadata say."""
        sparse, known = self.missing_chunks == "zeros", self._byte_order_given
        check_pixels(level, window, sparse=sparse, byte_order_known=known)

    @property
    def _byte_order_given(self) -> bool:
        return (self.dtype or "")[:1] in {"<", ">"}

    def _compare_channels(self, level: Level) -> None:
        """Raise `ImageError` if the image gives the name of a channel to another one alone."""
        stored = [channel.name for channel in level.geometry.channels]
        for index, name in self.channel_names.items():
            if name in stored and (index >= len(stored) or stored[index] != name):
                message = (
                    f"Channel {index} is {quote(name)} in the YAML, but {mask(self.address)} gives this name to "
                    f"channel {stored.index(name)}: the wrong channel would be segmented. Correct `channel_names` or "
                    "`channels` in the YAML."
                )
                raise ImageError(message)

    def _compare(self, field: str, stored: object, expected: object) -> None:
        if stored != expected:
            message = (
                f"The {field} of level {self.level!r} of {mask(self.address)} is {stored}, but the YAML expects "
                f"{expected}: partitions and pixels would not match. Correct `{field}` or `level` in the YAML."
            )
            raise ImageError(message)
