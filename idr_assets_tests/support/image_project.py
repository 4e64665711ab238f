"""A project with one image, as a user has it: a folder with its `defs.yaml`, loaded as Dagster loads it.

Here belongs the project. What an image's store holds is in `idr_stores`.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import dagster as dg
import pytest
from dagster.components.core import package_entry, snapshot

from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets.orchestration.image import Image

DEFINITIONS = """
from pathlib import Path
import dagster as dg
defs = dg.load_from_defs_folder(path_within_project=Path(__file__))
"""

DESCRIBED_ONCE = {
    (module, name): cache(getattr(module, name))
    for module, name in [
        (package_entry, "discover_entry_point_package_objects"),
        (snapshot, "get_package_entry_snap"),
    ]
}
"""What Dagster does at each load to describe all types of components for the UI, which takes most of the time."""

FIELDS = {"url": "source.zarr", "level": '"0"', "shape": "[12, 2, 16, 128, 135]"}
"""The fields that an image needs, as they stand in YAML."""

BY_ID = {"url": None, "image_id": "4007801", "endpoint": "https://127.0.0.1/zarr/{image_id}.zarr"}
"""Those of an image that is named by its ID."""


@dataclass(frozen=True)
class ImageProject:
    """A project below `root` with one image; its Python package has the name of the folder `root`."""

    root: Path
    image: str = "image"
    component: str = "SegmentedImage"

    @property
    def package(self) -> Path:
        """The folder of the Python package, which may hold modules of the user's own."""
        return self.root / self.root.name

    @property
    def yaml(self) -> Path:
        """The YAML of the image."""
        return self.package / "defs" / self.image / "defs.yaml"

    def write(self, **fields: str | None) -> None:
        """Write the project anew; `fields` are YAML texts beside or in place of FIELDS, None leaves one out."""
        lines = [f"  {name}: {value}\n" for name, value in (FIELDS | fields).items() if value is not None]
        self.yaml.parent.mkdir(parents=True, exist_ok=True)
        self.yaml.write_text(f"type: idr_assets.{self.component}\nattributes:\n" + "".join(lines))
        dask = self.package / "defs" / "dask" / "defs.yaml"
        dask.parent.mkdir(exist_ok=True)
        dask.write_text("type: idr_assets.DaskCluster\nattributes:\n  workers: 2\n")
        (self.root / "pyproject.toml").write_text(
            "[tool.dg]\ndirectory_type = 'project'\n"
            f"[tool.dg.project]\nroot_module = '{self.root.name}'\nregistry_modules = ['idr_assets']\n"
        )

    def write_definitions(self) -> None:
        """Write the module `definitions`, which Dagster's commands take by name."""
        (self.package / "definitions.py").write_text(DEFINITIONS)

    def load(self) -> dg.Definitions:
        """Load the definitions, with the project's own modules importable."""
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(self.root))
            for (module, name), once in DESCRIBED_ONCE.items():
                patch.setattr(module, name, once)
            return dg.load_from_defs_folder(path_within_project=self.yaml)

    def load_image(self) -> Image:
        """Load the definitions and give the image that the YAML describes."""
        image: Image = (self.load().resources or {})["image_io"].images[0]
        return image

    def refusal(self) -> str:
        """Load the definitions, which the YAML of the image forbids; give the reason."""
        with pytest.raises(Exception, match=rf"{self.image}\n.*defs\.yaml \(SegmentedImage\) \(error\)") as raised:
            self.load()
        return str(raised.value.__cause__)

    def dask(self) -> DaskResource:
        """Give the dask resource as a run gets it."""
        resource: DaskResource = (self.load().resources or {})["dask"](dg.build_init_resource_context())
        return resource

    def key(self, asset: str) -> dg.AssetKey:
        """Give the key of one of the image's assets, `<segmentation>/<asset>` where there are several."""
        return dg.AssetKey([self.image, *asset.split("/")])
