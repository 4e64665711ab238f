"""What the page of an image shows of several segmentations."""

from typing import Any

from idr_assets.gallery.facts import Objects
from idr_assets.gallery.pages import _TEMPLATES as TEMPLATES


def test_each_segmentation_has_its_figures_and_the_first_those_of_all() -> None:
    def part(name: str) -> dict[str, Any]:
        files = {"montage": f"{name}.png", "counts": f"{name}_counts.png", "comparison": "all.png"}
        known = {"segmentation": name, "files": files, "paths": {}, "assets": {}, "planes": None}
        return known | {"objects": Objects(None, []), "checks": [], "channels": {}}

    parts = [part(name) for name in ("one", "two", "three")]
    page = TEMPLATES.get_template("image.html").render(name="image", parts=parts, pages=[], dagster=None)
    assert [page.count(f'src="{it["segmentation"]}.png"') for it in parts] == [1, 1, 1]
    assert page.count('src="all.png"') == 1
