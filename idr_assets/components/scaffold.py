"""What `dg scaffold defs idr_assets.SegmentedImage NAME` writes, and what an image may be named."""

import re
from pathlib import Path

import click
import dagster as dg

COMMENTED_YAML = """\
type: idr_assets.SegmentedImage
attributes:
  # The image: http, https, s3 or another fsspec URL, or a local path (a relative one is below IDR_ASSETS_DATA).
  # Instead of `url`: `image_id: 4007801` and `endpoint: https://host/idr/zarr/v0.4/{image_id}.zarr`.
  url: https://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0044A/4007801.zarr
  # Handed to fsspec, for example {anon: true} for a public S3 bucket.
  storage_options: {}
  # Path of the level in the image's multiscales; a higher one is smaller.
  level: "4"
  # T, C, Z, Y, X of that level, 1 for an axis that it lacks. The store is checked against it when `source_image` is
  # materialized.
  shape: [532, 2, 988, 128, 135]
  # Dtype of that level, in any byte order. Leave it out to take what is stored.
  dtype: uint16
  # Channels to segment.
  channels: [0]
  # First and last index, inclusive, or "all". Each (t, z) of the window is a partition.
  window:
    t: [261, 270]
    z: [489, 498]
  # The function that turns planes into labels; it may be your own, see docs/how_to/own_segmentation.md. Or several to
  # compare, by name: `segmentations: {threshold: {function: ...}, mine: {function: ...}}` in its place.
  segmentation:
    function: idr_assets.imaging.segmentation.gaussian_threshold
    parameters: {sigma: 1.0, threshold_fraction: 0.33}
  # Version of OME-Zarr that is written: "0.5" (Zarr v3), or "0.4" (Zarr v2) for older viewers.
  format: "0.5"
  # Whether pixels that an earlier run stored are read from the output while the image's fingerprint stays the same.
  reuse_pixels: true
  # How politely the image is read, and how long its store may stutter; these are the defaults.
  reading: {requests: 16, timeout: 60, tries: 10, seconds: 300, missing_chunks: error}
  # What runs by itself; these are the defaults, all off: missing planes on a schedule, everything when the image
  # changed, figures and objects when labels changed.
  automation: {schedule: false, cron: "0 3 * * *", time_zone: UTC, watch: false, watch_seconds: 3600, refresh: false}
  # Pages about the image, shown in the UI, for example {paper: https://doi.org/10.1016/j.cell.2018.09.031}.
  links: {}
  # Assets of yours that make the image, for example [demo/synthetic_embryo].
  upstream: []
"""


class CommentedYaml(dg.Scaffolder):
    """Writes a YAML that loads as it is and explains each field."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write `defs.yaml` into the new folder; a folder that cannot name an image is taken away again."""
        try:
            image_name(request.target_path)
        except ValueError as error:
            request.target_path.rmdir()
            raise click.ClickException(str(error)) from error
        (request.target_path / "defs.yaml").write_text(COMMENTED_YAML)


def image_name(folder: Path) -> str:
    """Give the name of the image whose YAML lies in a folder; `ValueError` where keys of assets cannot have it."""
    if not re.fullmatch(r"\w+", folder.name, re.ASCII):
        message = (
            f"The folder {folder} names the image {folder.name!r}, but keys of assets and jobs take letters, digits "
            f"and _ only. Name the folder otherwise, such as {re.sub(r'\W', '_', folder.name, flags=re.ASCII)}."
        )
        raise ValueError(message)
    return folder.name
