"""One image as its YAML describes it: what every asset of the image asks for.

Opens what the assets need and names the outputs; does no work on pixels.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.ome_zarr.geometry import Geometry
from idr_assets.imaging.output.output_image import OutputImage, open_output
from idr_assets.imaging.planes import Block, index_key
from idr_assets.imaging.reading.level import open_level
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.reading.source import Source
from idr_assets.imaging.segmentation.recipe import Recipe


def data_url(project: Path, *parts: str) -> str:
    """Join parts below IDR_ASSETS_DATA, any fsspec URL or a path, by default `data` in the project."""
    data = os.environ.get("IDR_ASSETS_DATA") or str(project / "data")
    if "://" not in data:
        data = str(Path(data).expanduser().absolute())
    return "/".join([data.removesuffix("/"), *parts])


@dataclass(frozen=True)
class Image:
    """An image, its window and one segmentation, in plain values: making one reads nothing.

    `shape` is TCZYX; `t` and `z` are the window's indices, each a gapless range. `segmentation` is the name of the
    segmentation where the YAML names it, None for the only one. `format` is the version of OME-Zarr of the output.
    `reuse_pixels` says whether pixels that the output has, of the image as it is now, are read from there.
    """

    name: str
    project: Path
    address: str = field(repr=False)
    storage_options: Mapping[str, Any] = field(repr=False)
    level: str
    shape: tuple[int, ...]
    dtype: str | None
    channels: tuple[int, ...]
    t: range
    z: range
    recipe: Recipe
    links: Mapping[str, str]
    upstream: tuple[str, ...]
    patience: Patience = PATIENT
    missing_chunks: Literal["error", "zeros"] = "error"
    format: Version = "0.5"
    segmentation: str | None = None
    reuse_pixels: bool = True

    def key(self, asset: str) -> list[str]:
        """Give the key of an asset that is made from the labels."""
        return [*self._path, asset]

    @property
    def badge(self) -> set[str]:
        """What tells assets of several segmentations apart in the graph, where boxes show the end of the key alone."""
        return {self.segmentation} if self.segmentation else set()

    @property
    def title(self) -> str:
        """What figures are headed with: the image, and the segmentation where the YAML names it."""
        return ", ".join(self._path)

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
    def window(self) -> Block:
        """All planes that the partitions cover."""
        return Block(self.t, self.channels, self.z)

    def timepoint(self, t: int) -> Block:
        """Give the planes of the window at a timepoint."""
        return replace(self.window, t=range(t, t + 1))

    @property
    def labels_url(self) -> str:
        """Where the output image with pixels and labels lies."""
        return data_url(self.project, f"{self.name}.ome.zarr")

    @property
    def montage_url(self) -> str:
        """Where the montage lies, a PNG."""
        return data_url(self.project, *self._path, "montage.png")

    @property
    def browser_url(self) -> str:
        """Where the plane browser lies, an HTML page."""
        return data_url(self.project, *self._path, "planes.html")

    @property
    def objects_url(self) -> str:
        """Where the tables of objects lie, a folder."""
        return data_url(self.project, *self._path, "objects")

    @property
    def objects_urls(self) -> dict[int, str]:
        """Where the table of each timepoint of the window lies, a Parquet file."""
        return {t: f"{self.objects_url}/t={index_key(t, self.shape[0])}.parquet" for t in self.t}

    def counts_url(self, kind: str) -> str:
        """Where the figure of object counts lies, a `png` or `svg`."""
        return data_url(self.project, *self._path, f"object_counts.{kind}")

    @property
    def comparison_url(self) -> str:
        """Where the comparison of several segmentations lies, a PNG."""
        return data_url(self.project, self.name, "segmentation_comparison.png")

    @property
    def label_group(self) -> str:
        """Name of the labels in the output: that of the segmentation, where the YAML names it."""
        return self.segmentation or "segmentation"

    @property
    def source(self) -> Source:
        """The level that is segmented, and what it is expected to be."""
        return Source(
            address=self.url,
            level=self.level,
            shape=self.shape,
            dtype=self.dtype,
            storage_options=self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
        )

    def open_output(self) -> OutputImage:
        """Open the output; `ImageError` when no plane was segmented yet."""
        return open_output(self.labels_url, self.label_group)

    @property
    def geometry(self) -> Geometry:
        """What the axes of the output are; `ImageError` when no plane was segmented yet."""
        return open_level(self.labels_url, "0").geometry

    @property
    def _path(self) -> tuple[str, ...]:
        return (self.name,) if self.segmentation is None else (self.name, self.segmentation)
