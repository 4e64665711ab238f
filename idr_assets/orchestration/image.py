"""One image as its YAML describes it: what every asset of the image asks for.

Opens what the assets need and names the outputs; does no work on pixels.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import numpy as np

from idr_assets.imaging.chunk_store import PATIENT, Patience
from idr_assets.imaging.errors import ImageError, masked
from idr_assets.imaging.label_image import LabelImage, open_label_image
from idr_assets.imaging.planes import Block
from idr_assets.imaging.probe import check_pixels
from idr_assets.imaging.segmentation import SegmentationFunction
from idr_assets.imaging.source import Level, open_level


def data_url(project: Path, *parts: str) -> str:
    """Join parts below IDR_ASSETS_DATA, which is any fsspec URL, by default `data` in the project."""
    data = os.environ.get("IDR_ASSETS_DATA") or str(project / "data")
    return "/".join([data.removesuffix("/"), *parts])


@dataclass(frozen=True)
class Image:
    """An image, its window and its segmentation, in plain values: making one reads nothing.

    `shape` is TCZYX; `t` and `z` are the window's indices, each a gapless range.
    """

    name: str
    project: Path
    address: str
    storage_options: Mapping[str, Any]
    level: str
    shape: tuple[int, ...]
    dtype: str | None
    channels: tuple[int, ...]
    t: range
    z: range
    function: SegmentationFunction
    function_path: str
    parameters: Mapping[str, Any]
    links: Mapping[str, str]
    upstream: tuple[str, ...]
    patience: Patience = PATIENT
    missing_chunks: Literal["error", "zeros"] = "error"

    @property
    def url(self) -> str:
        """Where the image lies; a relative path is below IDR_ASSETS_DATA."""
        relative = "://" not in self.address and not self.address.startswith("/")
        return data_url(self.project, self.address) if relative else self.address

    @property
    def pool(self) -> str:
        """Name of the pool of runs that read from the image's store: its host, `local` without one."""
        host = urlsplit(self.address).hostname if "://" in self.address else None
        return re.sub(r"\W", "_", host or "local", flags=re.ASCII)

    @property
    def byte_order_known(self) -> bool:
        """Whether the YAML's dtype has a byte order, as in `>u2`."""
        return (self.dtype or "")[:1] in {"<", ">"}

    @property
    def window(self) -> Block:
        """All planes that the partitions cover."""
        return Block(self.t, self.channels, self.z)

    @property
    def middle(self) -> Block:
        """The plane in the middle of the window, of the first channel."""
        t, z = self.t[len(self.t) // 2], self.z[len(self.z) // 2]
        return Block(range(t, t + 1), self.channels[:1], range(z, z + 1))

    @property
    def labels_url(self) -> str:
        """Where the output image with pixels and labels lies."""
        return data_url(self.project, f"{self.name}.ome.zarr")

    @property
    def montage_url(self) -> str:
        """Where the montage lies, a PNG."""
        return data_url(self.project, self.name, "montage.png")

    @property
    def browser_url(self) -> str:
        """Where the plane browser lies, an HTML page."""
        return data_url(self.project, self.name, "planes.html")

    def open_level(self) -> Level:
        """Find the level, check and probe it; `ImageError` names what differs."""
        level = self.find_level()
        self.check(level)
        self.probe(level)
        return level

    def find_level(self) -> Level:
        """Open the level, whatever its shape and dtype; `ImageError` when it is not there."""
        return open_level(
            self.url,
            self.level,
            self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
        )

    def check(self, level: Level) -> None:
        """Raise `ImageError` unless shape and dtype of the level are those in the YAML."""
        self._check("shape", level.shape, self.shape)
        if self.byte_order_known:
            self._check("dtype", level.dtype.str, np.dtype(self.dtype).str)
        elif self.dtype:
            self._check("dtype", level.dtype.newbyteorder("="), np.dtype(self.dtype))

    def probe(self, level: Level) -> None:
        """Raise `ImageError` unless pixels lie where, and are what, the level's metadata say; reads a little of one."""
        sparse, known = self.missing_chunks == "zeros", self.byte_order_known
        check_pixels(level, self.window, self.storage_options, sparse=sparse, byte_order_known=known)

    def open_labels(self) -> LabelImage:
        """Open the output; `ImageError` when no plane was segmented yet."""
        return open_label_image(self.labels_url)

    def _check(self, field: str, stored: object, expected: object) -> None:
        if stored != expected:
            where = f"level {self.level!r} of {masked(self.url)}"
            message = (
                f"The {field} of {where} is {stored}, but the YAML of {self.name!r} expects {expected}: partitions and "
                f"pixels would not match. Correct `{field}` or `level` in the YAML."
            )
            raise ImageError(message)
