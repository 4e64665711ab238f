"""Where everything lies that is made from an image."""

from pathlib import Path

from idr_assets.imaging.planes import index_key
from idr_assets.imaging.segmentation.recipe import Recipe
from idr_assets.orchestration.data_folder import data_url
from idr_assets.orchestration.grid import Grid


class Addresses(Grid):
    """The addresses of the output and of all other files of an image."""

    name: str
    project: Path
    t: range
    segmentation: str | None
    recipe: Recipe

    @property
    def labels_url(self) -> str:
        """Address of the output with pixels and labels."""
        return data_url(self.project, f"{self.name}.ome.zarr")

    @property
    def montage_url(self) -> str:
        """Address of the montage, a PNG."""
        return data_url(self.project, *self._path, "montage.png")

    @property
    def browser_url(self) -> str:
        """Address of the plane browser, an HTML page."""
        return data_url(self.project, *self._path, "planes.html")

    @property
    def try_url(self) -> str:
        """Address of the picture of a plane that was tried, a PNG."""
        return data_url(self.project, *self._path, "try.png")

    @property
    def objects_url(self) -> str:
        """Address of the folder with the tables of objects."""
        return data_url(self.project, *self._path, "objects")

    @property
    def objects_urls(self) -> dict[int, str]:
        """Address of the table of each timepoint of the window, a Parquet file."""
        return {t: f"{self.objects_url}/t={index_key(t, self.shape[0])}.parquet" for t in self.t}

    @property
    def published_url(self) -> str:
        """Address of the published image, which all segmentations share."""
        return data_url(self.project, self.name, "published.ome.zarr")

    @property
    def next_published_url(self) -> str:
        """Address at which a published image of another shape is built, until it takes the place of the older one."""
        return data_url(self.project, self.name, "published.next.ome.zarr")

    @property
    def volumes_url(self) -> str | None:
        """Address of the folder with the tables of objects in space; None if the recipe works on planes."""
        in_space = self.recipe.works_on.unit == "volume" and self.row_axis == "t"
        return data_url(self.project, *self._path, "volumes") if in_space else None

    def counts_url(self, kind: str) -> str:
        """Return the address of the figure of object counts, a `png` or `svg`."""
        return data_url(self.project, *self._path, f"object_counts.{kind}")

    @property
    def comparison_url(self) -> str:
        """Address of the comparison of several segmentations, a PNG."""
        return data_url(self.project, self.name, "segmentation_comparison.png")

    def agreement_url(self, kind: str) -> str:
        """Return the address of the agreement of several segmentations, as `png` or `csv`."""
        return data_url(self.project, self.name, f"segmentation_agreement.{kind}")

    @property
    def _path(self) -> tuple[str, ...]:
        return (self.name,) if self.segmentation is None else (self.name, self.segmentation)
