"""Versions of recipes: marked, or made from the source of a function of one's own."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import dask.array as da

from idr_assets.imaging.segmentation.functions import gaussian_threshold, otsu_watershed, per_plane, versioned
from idr_assets.imaging.segmentation.recipe import Recipe, find_version
from idr_assets_tests.support.drawn_planes import Pixels

if TYPE_CHECKING:
    from idr_assets.imaging.segmentation.lifting import SegmentationFunction


def test_a_marked_function_has_its_version_in_either_order_of_the_decorators() -> None:
    def mine(plane: Pixels) -> Pixels:
        return plane

    assert find_version(gaussian_threshold) == find_version(otsu_watershed) == "1"
    assert find_version(versioned("2")(per_plane(mine))) == "2"
    assert find_version(per_plane(versioned("3")(mine))) == "3"


def test_recipes_are_those_of_earlier_outputs() -> None:
    @per_plane
    def mine(plane: Pixels, *, size: int = 21) -> Pixels:
        return plane * size

    recipes: dict[str, SegmentationFunction] = {
        "gaussian_threshold": gaussian_threshold,
        "otsu_watershed": otsu_watershed,
        "mine": mine,
    }
    module = "idr_assets.imaging.segmentation"
    found = {name: Recipe(f"{module}.{name}", recipe, {}, (0, 1)).version for name, recipe in recipes.items()}
    assert found == {
        "gaussian_threshold": "0cc8cd63a42d1181",
        "otsu_watershed": "bcfdb3104c34666c",
        "mine": "92460bf1cf1c29cc",
    }


def own_function(path: Path, body: str) -> Callable[..., da.Array]:
    """Import a user's module that holds one function, `mine`."""
    path.write_text(
        f"from idr_assets.imaging.segmentation.functions import per_plane\n\n@per_plane\ndef mine(plane):\n    {body}\n"
    )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.mine  # type: ignore[no-any-return]


def test_an_unmarked_function_has_a_version_that_follows_its_source(tmp_path: Path) -> None:
    bodies = {
        "first": "return plane",
        "laid_out": '"""Give the plane back."""\n    # as it is\n    return (\n        plane\n    )',
        "edited": "return plane + 1",
    }
    versions = {name: find_version(own_function(tmp_path / f"{name}.py", body)) for name, body in bodies.items()}
    assert versions["first"] == versions["laid_out"] != versions["edited"]


def test_a_function_without_mark_or_source_has_no_version() -> None:
    assert find_version(len) == "unversioned"  # type: ignore[arg-type]
