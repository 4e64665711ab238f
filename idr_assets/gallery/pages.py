"""What the pages of the gallery say, as values for their templates."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from urllib.parse import quote

import dagster as dg
from jinja2 import Environment, PackageLoader
from starlette.requests import Request

from idr_assets.gallery.catalogue import Catalogue
from idr_assets.gallery.facts import count_objects, count_planes, list_checks, list_files
from idr_assets.imaging.channels import title_channel
from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block, Plane
from idr_assets.orchestration.assets.metadata import describe_channels
from idr_assets.orchestration.image import Image
from idr_assets.orchestration.image_list import overview_url
from idr_assets.orchestration.partitions import partition_key
from idr_assets.orchestration.versions import source_key

MOST_THUMBNAILS = 1000
"""Thumbnails of a page, of one segmentation, if a timepoint has no more."""

_TEMPLATES = Environment(loader=PackageLoader(__package__, ""), autoescape=True, trim_blocks=True, lstrip_blocks=True)


@dataclass(frozen=True)
class Pages:
    """The pages, as HTML. With `ui`, the same server has Dagster's pages."""

    catalogue: Catalogue
    instance: dg.DagsterInstance | None
    ui: bool

    def index(self, request: Request) -> str:
        """Show all images; what became of each is asked for when it is seen."""
        every = sorted(self.catalogue.read_again().values(), key=lambda images: images[0].list_name or "")
        if every:
            self.catalogue.folder()
        sections = [
            {"name": name, "overview": self._overview(request, name, images), "images": [_card(it) for it in images]}
            for name, images in ((name, list(of)) for name, of in groupby(every, key=lambda it: it[0].list_name))
        ]
        return self._render("index.html", request, sections=sections, number=len(every))

    def facts(self, request: Request) -> str:
        """Say what became of an image: a part of the page of all images."""
        return self._render("facts.html", request, **self._about(request, request.path_params["name"]))

    def image(self, request: Request) -> str:
        """Show all that an image has, with thumbnails of some or all of its planes."""
        name, asked = request.path_params["name"], request.query_params.get("from", "")
        self.catalogue.read_again()
        about, images = self._about(request, name), self.catalogue.find(name)
        starts = _starts(images[0])
        start = max((it for it in starts if asked.isdecimal() and it <= int(asked)), default=0)
        for number, (part, image) in enumerate(zip(about["parts"], images, strict=True)):
            block = replace(image.shown, t=image.t[start : start + starts.step])
            part["channels"] = _channels(image, number, block, part["files"].get("slider page"))
        key = partition_key(images[0], next(iter(block.planes())))
        pages = [{"from": it, "name": _name_rows(images[0], it, starts.step), "here": it == start} for it in starts]
        return self._render("image.html", request, **about, pages=pages, axis=images[0].row_axis, key=key)

    def fault(self, request: Request, status: int, message: str) -> str:
        """Say that there is no such page, or why it cannot be shown."""
        return self._render("fault.html", request, status=status, message=message)

    def _about(self, request: Request, name: str) -> dict[str, Any]:
        self.catalogue.folder()  # on S3, what follows would take long
        images = self.catalogue.find(name)
        parts = [self._part(request, image) for image in images]
        return {"name": name, "list": images[0].list_name, "links": images[0].links, "parts": parts}

    def _part(self, request: Request, image: Image) -> dict[str, Any]:
        files = list_files(image)
        return {
            "segmentation": image.segmentation,
            "files": {what: self._data(request, url) for what, url in files.items()},
            "paths": files,
            "assets": _assets(image),
            "planes": count_planes(self.instance, image) if self.instance else None,
            "objects": count_objects(image),
            "job": None if image.list_name else f"measure_{image.name}",  # images of a list have no jobs
            "checks": list_checks(self.instance, image) if self.instance else [],
        }

    def _overview(self, request: Request, name: str | None, images: Sequence[Sequence[Image]]) -> str | None:
        url = overview_url(images[0][0].project, name, "png") if name else None
        return self._data(request, url) if url and os.path.exists(url) else None  # noqa: PTH110  as above

    def _data(self, request: Request, url: str) -> str:
        return f"{request.scope['root_path']}/data/{quote(url.removeprefix(self.catalogue.folder()).lstrip('/'))}"

    def _render(self, template: str, request: Request, **values: Any) -> str:  # noqa: ANN401  any value of a template
        root = request.scope["root_path"].removesuffix("/data").removesuffix("/static")
        values |= {
            "dagster": root.rpartition("/")[0] if self.ui else None,
            "server": f"{request.url.scheme}://{request.url.netloc}",
        }
        return _TEMPLATES.get_template(template).render(root=root, **values)


def _card(images: Sequence[Image]) -> dict[str, Any]:
    image, number = images[0], len(images[0].window)
    (middle,) = image.window.middle.planes()
    return {
        "name": image.name,
        "plane": f"0/{middle.t}/{middle.c}/{middle.z}",
        "size": f"{number:,} plane{'s' * (number > 1)} of {image.shape[3]} × {image.shape[4]} pixels (Y × X)",  # noqa: RUF001
        "segmentations": [it.segmentation for it in images if it.segmentation],
    }


def _assets(image: Image) -> dict[str, str]:
    """Return the keys of the assets of an image, from its source on, by their names."""
    own = {asset: "/".join(image.key(asset)) for asset in ("plane_labels", *image.figures, *image.measures)}
    published = {"published": f"{image.name}/published"} if image.published else {}
    return {image.source_asset: source_key(image).to_user_string()} | own | published


def _channels(image: Image, number: int, block: Block, page: str | None) -> dict[str, list[dict[str, Any]]]:
    """Return the planes of each channel below its name; without results, below the name in the YAML."""
    try:
        known = describe_channels(image, image.geometry.channels)
    except ImageError:
        known = describe_channels(image, ())
    return {
        title_channel(c, known): [_plane(image, number, it, page) for it in replace(block, c=(c,)).planes()]
        for c in block.c
    }


def _plane(image: Image, number: int, plane: Plane, page: str | None) -> dict[str, Any]:
    return {
        "name": image.name_plane(plane),
        "picture": f"{number}/{plane.t}/{plane.c}/{plane.z}",
        "page": page and f"{page}#{image.row_axis}={image.row_key(plane.t)}&c={plane.c}&z={plane.z}",
        "key": quote(partition_key(image, plane), safe=""),
    }


def _starts(image: Image) -> range:
    """Return where pages of thumbnails start in the rows of the window; the step is how many rows a page has."""
    return range(0, len(image.t), max(1, MOST_THUMBNAILS // (len(image.shown.c) * len(image.z))))


def _name_rows(image: Image, start: int, number: int) -> str:
    rows = image.t[start : start + number]
    return " to ".join(dict.fromkeys((image.row_key(rows[0]), image.row_key(rows[-1]))))
