"""Which names the images of a project have, without a load of its definitions."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import yaml

from idr_assets.components.image_table import read_table
from idr_assets.components.yaml_entry import find_yaml


def names_elsewhere(defs: Path, own: Path) -> dict[str, Path]:
    """Return the names, in lower case, of all images and lists but those of the folder `own`, and where each stands."""
    others = [path for path in find_yaml(defs) if path.parent != own]
    return {name.lower(): path for path in others for name in (path.parent.name, *_listed(path))}


def _listed(path: Path) -> Iterator[str]:
    """Yield the names of the images of a list; none of a YAML, or a table, that cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError):
        found = yaml.safe_load(path.read_text())
        images = found["attributes"]["images"] if found["type"] == "idr_assets.SegmentedImages" else []
        if isinstance(images, str):
            yield from (row.name for row in read_table(path.parent / images).rows)
        else:
            yield from (str(item["name"]) for item in images)
