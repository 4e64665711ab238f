"""Every key of the metadata of 0.4, 0.5 and 0.6: absent, null, empty, of the wrong type and of the wrong length.

What an image cannot do without costs the image, by name; whatever else is wrong costs itself, with a remark.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from idr_assets.imaging.errors import ImageError
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import ZARR_V3, Version, write_image

PIXELS = np.random.default_rng(0).integers(0, 1000, (2, 3, 10, 12)).astype("u2")
WHOLE = Block(range(1), (0, 1), range(3))
ABSENT = "(absent)"
VERSIONS: tuple[Version, ...] = ("0.4", "0.5", "0.6")


class Outcome(NamedTuple):
    """What becomes of an image: a pattern of the refusal, or of a remark, and its pixel size where it is read."""

    refusal: str | None = None
    remark: str | None = None
    size: float | None = 0.4


READ = Outcome()
NO_SIZE = Outcome(size=None)
LOST = Outcome(remark="the size of its pixels is not known", size=None)
NO_PLACE = Outcome(remark="where its pixels lie is not known")
EMPTIES: tuple[Any, ...] = (ABSENT, None, "", [], {})
ODD: tuple[Any, ...] = (5, True, "odd", ["odd"], {"odd": 1}, [[]])

MULTISCALE, DATASET = ("multiscales", 0), ("multiscales", 0, "datasets", 0)
STEP = (*DATASET, "coordinateTransformations", 0)
FREE = [("omero",), *((*MULTISCALE, key) for key in ("name", "type", "metadata")), (*DATASET, "name"), (*STEP, "name")]
"""Keys that nothing here depends on."""


def table() -> Iterator[tuple[Version, tuple[str | int, ...], Any, Outcome]]:
    """Give a version, the path of a key, its value, and what becomes of the image."""
    for version in VERSIONS:
        for path, values, outcome in rows(version):
            yield from ((version, path, value, outcome) for value in values)


def rows(version: Version) -> Iterator[tuple[tuple[str | int, ...], tuple[Any, ...], Outcome]]:
    systems = (*MULTISCALE, "coordinateSystems")
    axes = (*systems, 0, "axes") if version == "0.6" else (*MULTISCALE, "axes")
    yield from ((path, (ABSENT, None, 5, [[]]), READ) for path in FREE)
    yield ("multiscales",), EMPTIES, Outcome("has no `multiscales`|`multiscales` of the Zarr group at .* is ")
    yield ("multiscales",), (5, True, "odd", ["odd"], {"odd": 1}, [[]], [None]), Outcome("`multiscales` of .* names no")
    yield MULTISCALE, (None, "", [], 5, "odd"), Outcome("`multiscales` of the Zarr group at .* names no image")
    yield MULTISCALE, ({}, {"odd": 1}), Outcome("list no level: `datasets` is 'None'")
    where = ("version",) if version in ZARR_V3 else (*MULTISCALE, "version")
    yield where, (*EMPTIES, version, f"{version}.dev1", f"{version}-dev-spatialdata", float(version)), READ
    yield where, (5, True, "odd", ["odd"], {"odd": 1}), Outcome(remark="The version of .* is not a version of OME-Zarr")
    yield where, ("0.7", "0.10", 1.0, "1.0", "2.1-dev"), Outcome("is OME-Zarr '.*', and 0.1 to 0.6 are known here")
    yield (*MULTISCALE, "datasets"), (*EMPTIES, *ODD), Outcome("list no level: `datasets` is ")
    yield DATASET, (None, "", [], {}, 5, "odd"), Outcome("list no level: `datasets` is ")
    yield (*DATASET, "path"), (ABSENT, None, [], {}, True, 0.0), Outcome("list no level")
    yield (*DATASET, "path"), ("", 5, "odd"), Outcome("Level '0' is not in the multiscales of .* one of ")
    yield (*DATASET, "path"), (0, "0"), READ
    if version == "0.6":
        yield systems, (ABSENT, None), Outcome("name no axes, as OME-Zarr 0.6 must")
        yield (
            systems,
            ("", [], {}, *ODD, [None]),
            Outcome("The axes of .* are not known: its level leads to 'physical'"),
        )
        yield (*systems, 0, "name"), EMPTIES + ODD, READ
        yield axes, (ABSENT, None, "", {}, 5, "odd", {"odd": 1}), Outcome("The axes of .* are not known")
        yield axes, ([], ["odd"], [[]]), Outcome("The axes of .* are .*no planes can be cut")
    else:
        yield axes, EMPTIES, Outcome(f"name no axes, as OME-Zarr {version} must")
        yield axes, ODD, Outcome("The axes of .* are .*no planes can be cut")
    named = [{"name": name} for name in "tczyx"]
    yield axes, (named[2:], named), Outcome(r"has 4 dimensions, of shape \(2, 3, 10, 12\), but the image has [35] axes")
    yield axes, (named[1:],), Outcome(size=None)
    yield axes, (["c", "z", "y", "x"],), NO_SIZE
    yield (*axes, 0), (None, "", [], {}, 5, "odd"), Outcome("The axes of .* are .*no planes can be cut")
    yield (*axes, 0, "name"), EMPTIES + ODD, READ  # its type is channel
    yield (*axes, 2, "name"), EMPTIES + ODD, READ  # of three axes of space it is the one that is neither z nor x
    yield (*axes, 2, "name"), ("x", "X"), Outcome("each at most once")
    yield (*axes, 1, "type"), EMPTIES, READ
    yield (*axes, 1, "type"), (*ODD, "time"), Outcome(remark="is taken for z by its name; its type says")
    yield (*axes, 3, "unit"), (ABSENT, None, "", "pixel"), NO_SIZE
    yield (*axes, 3, "unit"), ([], {}, 5, True, ["odd"]), Outcome(remark="The unit of axis x .* is not used", size=None)
    yield from transformations(version)


def transformations(version: Version) -> Iterator[tuple[tuple[str | int, ...], tuple[Any, ...], Outcome]]:
    chain, whole = (*DATASET, "coordinateTransformations"), (*MULTISCALE, "coordinateTransformations")
    scale, shift = (
        {"type": "scale", "scale": [1.0, 2.0, 0.4, 0.4]},
        {"type": "translation", "translation": [0, 5, 0, 0]},
    )
    yield chain, (ABSENT, None, []), NO_SIZE
    yield chain, ("", {}, *ODD, [None]), LOST
    yield STEP, (None, "", [], {}, 5, "odd"), LOST
    yield chain, ([{"type": "identity"}],), NO_SIZE
    yield chain, ([{"type": "identity"}, scale], [{"type": "sequence", "transformations": [scale, shift]}]), READ
    yield chain, ([{"type": "sequence"}], [{"type": "sequence", "transformations": [5]}]), LOST
    yield (*STEP, "type"), (*EMPTIES, 5, True, ["odd"]), READ  # its key is scale
    yield (*STEP, "type"), ("odd", "translation"), Outcome(remark="not known", size=None)
    yield (*STEP, "type"), ("affine", "mapAxis"), Outcome("may exchange them") if version == "0.6" else LOST
    yield (*STEP, "scale"), (*EMPTIES, *ODD, [1.0], [1.0] * 5, ["1"] * 4, [True] * 4, [None] * 4, [[1]] * 4), LOST
    yield (
        (*STEP, "scale"),
        ([1, 2, 0, -1],),
        Outcome(remark="it is not used, and the size of a pixel there is not known", size=None),
    )
    for wrong in (None, "", [], 5, ["odd"], [1.0], [1.0] * 5, [None] * 4):
        yield chain, ([scale, {"type": "translation", "translation": wrong}],), NO_PLACE
    if version == "0.6":  # it leads elsewhere
        yield whole, (*EMPTIES, *ODD, [{"type": "scale", "scale": [2] * 4}], [{"type": "affine"}]), READ
        yield from (((*STEP, end), EMPTIES + ODD, READ) for end in ("input", "output"))
    else:
        yield whole, (ABSENT, None, []), READ
        yield whole, ("", {}, *ODD, [{"type": "scale", "scale": [2.0]}], [{"type": "affine"}]), LOST
        yield whole, ([{"type": "scale", "scale": [2] * 4}],), Outcome(size=0.8)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[Version, Path]:
    folder = tmp_path_factory.mktemp("images")
    return {it: write_image(folder / it, PIXELS, version=it, axes="czyx") for it in VERSIONS}


def put(holder: Any, path: tuple[str | int, ...], value: object) -> None:  # noqa: ANN401  any JSON
    for key in path[:-1]:
        holder = holder.setdefault(key, {}) if isinstance(holder, dict) else holder[key]
    if value is ABSENT:
        holder.pop(path[-1], None)
    else:
        holder[path[-1]] = value


@pytest.fixture(params=table(), ids=lambda row: f"{row[0]} {'.'.join(map(str, row[1]))} {str(row[2])[:30]}")
def row(request: pytest.FixtureRequest, images: dict[Version, Path]) -> Iterator[tuple[Path, Outcome]]:
    version, path, value, outcome = request.param
    document = images[version] / ("zarr.json" if version in ZARR_V3 else ".zattrs")
    stored = document.read_text()
    changed = json.loads(stored)
    put(changed["attributes"]["ome"] if version in ZARR_V3 else changed, path, value)
    document.write_text(json.dumps(changed))
    yield images[version], outcome
    document.write_text(stored)


def test_a_key_costs_the_image_or_itself(row: tuple[Path, Outcome]) -> None:
    image, (refusal, remark, size) = row
    if refusal:
        with pytest.raises(ImageError, match=refusal):
            open_level(str(image), "0")
        return
    level = open_level(str(image), "0")
    np.testing.assert_array_equal(level.read(WHOLE), PIXELS[np.newaxis])
    assert level.geometry.pixel_size == (size and pytest.approx(size))
    assert len(level.remarks) == (remark is not None)
    if remark:
        assert re.search(remark, level.remarks[0])
