"""One image as its YAML describes it.

Opens the source and the output for the assets; does no work on pixels.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from idr_assets.imaging.objects.more_measurements import NOTHING_MORE, Measured
from idr_assets.imaging.ome_zarr.formats import Version
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.retries import PATIENT, Patience
from idr_assets.imaging.segmentation.recipe import Recipe, hash_parts
from idr_assets.orchestration.addresses import Addresses
from idr_assets.orchestration.data_folder import data_url

if TYPE_CHECKING:
    from idr_assets.imaging.ome_zarr.geometry import Geometry
    from idr_assets.imaging.output.output_image import OutputImage
    from idr_assets.imaging.reading.source import Source


@dataclass(frozen=True)
class Image(Addresses):
    """An image, its window and one segmentation, as plain values; creating one reads nothing.

    `shape` is TCZYX; `t` and `z` are the window's indices, each a range with step 1. `segmentation` is the name that
    the YAML gives the segmentation, or None. `format` is the OME-Zarr version of the output. `reuse_pixels` says
    whether stored pixels with the image's present fingerprint are read from the output. `list_name` is the name of the
    list that has the image, or None. `axes` are those of an array without OME-Zarr metadata, `channel_names` those that
    the YAML gives channels, by index. `published` says whether there is an asset of that name, and `extent` what it has
    room for. `io` is the name of the resource that loads values; all share one, because Dagster describes each job with
    all resources.
    """

    io: ClassVar[str] = "image_io"
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
    list_name: str | None = None
    axes: tuple[str, ...] | None = None
    channel_names: tuple[str, ...] = ()
    measured: Measured = NOTHING_MORE
    published: bool = False
    extent: Literal["window", "image"] = "window"
    reference: str | None = field(default=None, repr=False)
    license: str | None = None
    citation: str | None = None

    def key(self, asset: str) -> list[str]:
        """Return the key of an asset that is made from the labels."""
        return [*self._path, asset]

    @property
    def badge(self) -> set[str]:
        """Kind that tells assets of several segmentations apart in the graph, which shows only the end of keys."""
        return {self.segmentation} if self.segmentation else set()

    @property
    def title(self) -> str:
        """Title of figures: the image, and the segmentation if the YAML names it."""
        return ", ".join(self._path)

    @property
    def url(self) -> str:
        """Address of the image; a relative path is below IDR_ASSETS_DATA."""
        return self._locate(self.address)

    @property
    def reference_url(self) -> str | None:
        """Address of the labels that segmentations are scored by, located as `url` is; None if there are none."""
        return self._locate(self.reference) if self.reference else None

    @property
    def pool(self) -> str:
        """Pool of runs that read from the same store: its host, or `local`."""
        host = urlsplit(self.address).hostname if "://" in self.address else None
        return re.sub(r"\W", "_", host or "local", flags=re.ASCII)

    @property
    def window(self) -> Block:
        """All planes that the partitions cover."""
        return Block(self.t, self.channels, self.z)

    @property
    def read_channels(self) -> tuple[int, ...]:
        """The channels whose pixels are read."""
        return self.recipe.together or self.channels

    @property
    def shown(self) -> Block:
        """The planes that figures show of the window, those of other channels that belong to its labels among them."""
        return replace(self.window, c=self.channels if self.labels_shown is None else self.read_channels)

    @property
    def labels_shown(self) -> int | None:
        """The channel whose labels figures show on each channel; if None, each channel has labels of its own."""
        return self.channels[0] if len(self.channels) == 1 < len(self.read_channels) else None

    def timepoint(self, t: int) -> Block:
        """Return the planes of the window at a timepoint."""
        return replace(self.window, t=range(t, t + 1))

    @property
    def published_extent(self) -> Block | None:
        """The planes that the published image has room for; None if they are those that are published."""
        if self.extent == "window":
            return None
        return Block(range(self.shape[0]), tuple(range(self.shape[1])), range(self.shape[2]))

    @property
    def measured_version(self) -> str | None:
        """Version of what is measured beside the usual; None if nothing is, so that tables stay what they are."""
        return hash_parts(self.measured.version) if self.measured.version else None

    @property
    def label_group(self) -> str:
        """Name of the labels in the output: the segmentation's name, or `segmentation`."""
        return self.segmentation or "segmentation"

    @property
    def source(self) -> "Source":
        """The level to segment, and its expected shape and dtype."""
        from idr_assets.imaging.reading.source import Source  # noqa: PLC0415  zarr, which definitions do without

        return Source(
            address=self.url,
            level=self.level,
            shape=self.shape,
            dtype=self.dtype,
            storage_options=self.storage_options,
            patience=self.patience,
            missing_chunks=self.missing_chunks,
            axes=self.axes,
            channel_names={c: self.channel_names[c] for c in self.read_channels if c < len(self.channel_names)},
        )

    def open_output(self) -> "OutputImage":
        """Open the output; raise `ImageError` if no plane was segmented yet."""
        from idr_assets.imaging.output.output_image import open_output  # noqa: PLC0415  as above

        return open_output(self.labels_url, self.label_group, self.recipe.together)

    @property
    def geometry(self) -> "Geometry":
        """Axes, scales and units of the output; raises `ImageError` if no plane was segmented yet."""
        from idr_assets.imaging.reading.level import open_level  # noqa: PLC0415  as above

        return open_level(self.labels_url, "0").geometry

    def _locate(self, address: str) -> str:
        relative = "://" not in address and not address.startswith("/")
        return data_url(self.project, address) if relative else address
