"""A list of images, and the rows of it that are no images."""

from dataclasses import dataclass, field
from pathlib import Path

from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.image import Image

MOST_NAMED = 20
"""Most faults that are described; the others are counted."""


@dataclass(frozen=True)
class ListedImage:
    """An image of a list.

    Attributes
    ----------
    place : str
        File and line.
    images : list of Image
        The image, once for each of its segmentations.
    columns : dict
        The user's own columns.

    """

    place: str
    images: list[Image]
    columns: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the image."""
        return self.images[0].name


@dataclass(frozen=True)
class ImageList:
    """A list of images.

    Attributes
    ----------
    name : str
        Name of the list.
    project : Path
        Folder of the project.
    group_by : str or None
        The column that groups images in figures.
    images : list of ListedImage
        What can be loaded.
    faults : list of (str, str)
        File and line of each row that cannot, and why.

    """

    name: str
    project: Path
    group_by: str | None
    images: list[ListedImage] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)

    @property
    def every(self) -> list[Image]:
        """All images, each once for each of its segmentations."""
        return [image for listed in self.images for image in listed.images]

    def overview_url(self, kind: str) -> str:
        """Return the address of the table or figure of all images, a `parquet` or `png`."""
        return overview_url(self.project, self.name, kind)

    def describe_faults(self) -> list[str]:
        """Return a line for each row that cannot be loaded; of many, the first ones."""
        lines = [f"{place}: {reason}" for place, reason in self.faults[:MOST_NAMED]]
        more = len(self.faults) - len(lines)
        return [*lines, f"and {more} more"] if more else lines


def overview_url(project: Path, name: str, kind: str) -> str:
    """Return the address of the overview of a list."""
    return data_url(project, name, f"overview.{kind}")
