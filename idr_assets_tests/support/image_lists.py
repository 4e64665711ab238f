"""A project with a list of images, which all have the pixels of the small image."""

from pathlib import Path

from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PIXELS

LIST = """type: idr_assets.SegmentedImages
attributes:
  level: "0"
  shape: [3, 2, 12, 40, 36]
  window: {t: [1, 2], z: [9, 10]}
  group_by: treatment
  images: images.csv
"""
TABLE = ["name,url,treatment", "a,a.zarr,drug", "b,b.zarr,control", "c,,drug"]
"""Two images, and a row without an address."""


def write_list(root: Path, rows: list[str] = TABLE) -> ImageProject:
    """Write a project whose list `screen` has the images of these rows."""
    for name in "ab":
        write_image(root / f"data/{name}.zarr", PIXELS, version="0.4")
    project = ImageProject(root, "screen")
    project.write()
    project.write_definitions()
    project.yaml.write_text(LIST)
    project.yaml.with_name("images.csv").write_text("\n".join(rows))
    return project
