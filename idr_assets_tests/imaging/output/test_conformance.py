"""The output as other tools see it, in both formats: validators, readers, plain zarr and dask.

It is made of a level below full resolution, has two label groups and the origins of remote images, and holds planes of
two channels among missing ones.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import yaozarrs
import zarr
from ome_zarr.format import format_from_version
from ome_zarr.io import parse_url
from ome_zarr.reader import Node, Reader

from idr_assets.imaging.ome_zarr.formats import FORMATS, Version
from idr_assets.imaging.output.creation import create_output
from idr_assets.imaging.output.origins import create_origins
from idr_assets.imaging.output.provenance import Provenance, add_provenance
from idr_assets.imaging.output.writing import store_planes
from idr_assets.imaging.planes import Block
from idr_assets.imaging.reading.level import open_level
from idr_assets_tests.support.idr_stores import AXES, PIXEL_SIZES, UNITS, write_image

SHAPE = (2, 2, 3, 8, 12)
BLOCK = Block(range(1, 2), (0, 1), range(2))
STORED = np.s_[1:2, :, :2]
NAMES = ("notebook", "watershed")
ARRAYS = ("0", *(f"labels/{name}/0" for name in NAMES))
HALVED = {"y": 2, "x": 2}
FINE = [{"type": "scale", "scale": [PIXEL_SIZES[axis] for axis in AXES]}]
COARSE = [
    {"type": "scale", "scale": [PIXEL_SIZES[axis] * HALVED.get(axis, 1) for axis in AXES]},
    {"type": "translation", "translation": [PIXEL_SIZES[axis] * (HALVED.get(axis, 1) - 1) / 2 for axis in AXES]},
]
"""A pixel of the second level lies amid those of the first that it is the mean of."""


@dataclass(frozen=True)
class Output:
    """Where the output lies, its version of OME-Zarr, and by path what each array holds, 0 where nothing is stored."""

    url: str
    version: Version
    arrays: dict[str, npt.NDArray[Any]] = field(default_factory=dict)

    def group(self, path: str) -> zarr.Group:
        return zarr.open_group(self.url, path=path, mode="r")

    def described(self, path: str) -> dict[str, Any]:
        """Give the OME metadata of a group, which stand below one name or side by side."""
        attributes: Any = self.group(path).attrs.asdict()
        found: dict[str, Any] = attributes["ome"] if self.version == "0.5" else attributes
        return found

    def nodes(self) -> dict[str, Node]:
        """Give what ome-zarr-py finds, by path: the image, the groups of labels and each of them."""
        location = parse_url(self.url, fmt=format_from_version(self.version))
        assert location
        return {node.zarr.path.removeprefix(self.url).strip("/"): node for node in Reader(location)()}


def write_levels(folder: Path) -> Path:
    """Write a source of two levels."""
    write_image(folder, np.ones((*SHAPE[:3], SHAPE[3] * 2, SHAPE[4] * 2), ">u2"), version="0.4")
    group = zarr.open_group(folder)
    group.create_array("1", data=np.ones(SHAPE, ">u2"), chunks=(1, 1, 1, *SHAPE[3:]), compressors=None)
    multiscale: Any = group.attrs.asdict()["multiscales"]
    multiscale[0]["datasets"].append({"path": "1", "coordinateTransformations": COARSE})
    group.attrs["multiscales"] = multiscale
    return folder


@pytest.fixture(scope="module", params=FORMATS)
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Output:
    """Write some planes, of two segmentations, in one format."""
    folder, random = tmp_path_factory.mktemp("conformance"), np.random.default_rng(0)
    level = open_level(str(write_levels(folder / "source.zarr")), "1")
    output = Output(str(folder / "image.ome.zarr"), request.param)
    output.arrays.update({path: np.zeros(SHAPE, "i4" if path != "0" else "u2") for path in ARRAYS})
    output.arrays["0"][STORED] = random.integers(1, 2**16, output.arrays["0"][STORED].shape)
    for name in NAMES:
        image, labels = create_output(output.url, level, name, version=output.version), f"labels/{name}/0"
        output.arrays[labels][STORED] = random.integers(0, 2**20, output.arrays[labels][STORED].shape)
        add_provenance(image, Provenance.from_json({"segmentation": {"function": name}}))
        store_planes(image, BLOCK, *(output.arrays[path][STORED] for path in ("0", labels)))
    origins = create_origins(image, level, "image", reuse=True)
    assert origins
    origins.note(BLOCK, origins.compute(BLOCK, output.arrays["0"][STORED]))
    return output


def test_validators_accept_every_group(output: Output) -> None:
    import ome_zarr_models  # noqa: PLC0415  half a second, in each process that collects the tests

    yaozarrs.validate_zarr_store(output.url)
    kinds = {"": "Image", "labels": "Labels"} | {f"labels/{name}": "ImageLabel" for name in NAMES}
    for path, kind in kinds.items():
        model = ome_zarr_models.open_ome_zarr(output.group(path), version=output.version)
        assert (type(model).__name__, model.ome_zarr_version) == (kind, output.version)


def test_metadata_say_what_other_tools_need(output: Output) -> None:
    assert output.described("labels")["labels"] == list(NAMES)
    for path, name in [("", "source.zarr"), *((f"labels/{name}", name) for name in NAMES)]:
        (multiscale,) = output.described(path)["multiscales"]
        assert multiscale["name"] == name
        assert {axis["name"]: axis.get("unit") for axis in multiscale["axes"]} == dict.fromkeys(AXES) | UNITS
        assert multiscale["datasets"] == [{"path": "0", "coordinateTransformations": COARSE}]
    for name in NAMES:
        assert output.described(f"labels/{name}")["image-label"] == {
            "version": output.version,
            "source": {"image": "../../"},
            "properties": [{"label-value": 0, "class": "background"}],
        }


def test_the_version_stands_where_the_format_has_it(output: Output) -> None:
    if output.version == "0.5":
        assert {output.described(path)["version"] for path in ("", "labels", "labels/notebook")} == {"0.5"}
    else:
        images = [output.described(path)["multiscales"][0] for path in ("", "labels/notebook")]
        assert {image["version"] for image in images} == {"0.4"}


def test_ome_zarr_py_reads_image_and_labels_and_lays_them_over_the_original(output: Output) -> None:
    nodes = output.nodes()
    assert nodes.keys() == {"", "labels", *(f"labels/{name}" for name in NAMES)}
    source = Output(str(Path(output.url).with_name("source.zarr")), "0.4").nodes()[""]
    assert source.metadata["coordinateTransformations"] == [FINE, COARSE]
    for path, node in nodes.items():
        if path != "labels":
            (pixels,) = node.data
            np.testing.assert_array_equal(pixels.compute(), output.arrays[f"{path}/0".lstrip("/")])
            assert node.metadata["coordinateTransformations"] == [COARSE]
    assert (
        open_level(output.url, "0").geometry == open_level(str(Path(output.url).with_name("source.zarr")), "1").geometry
    )


# napari's readers come with a model that says `json_encoders`, and sort a frame in place: both are deprecated.
@pytest.mark.filterwarnings("ignore:`json_encoders` is deprecated:DeprecationWarning")
@pytest.mark.processes  # napari asks commands what the machine is
@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.sort_values is deprecated")
def test_napari_shows_a_layer_of_each_channel_and_label_group(output: Output) -> None:
    from napari_ome_zarr._reader import napari_get_reader  # noqa: PLC0415  it takes seconds, and warns

    read = napari_get_reader(output.url)
    assert read
    layers = read()
    names = ["source.zarr", *NAMES]
    wanted = [(name, "labels" if name in NAMES else "image", channel) for name in names for channel in (0, 1)]
    assert [(about["name"], kind) for _, about, kind in layers] == [(name, kind) for name, kind, _ in wanted]
    for ((pixels,), about, _), (name, _, channel) in zip(layers, wanted, strict=True):
        np.testing.assert_array_equal(pixels, output.arrays[ARRAYS[names.index(name)]][:, channel])
        assert "translate" not in about  # known, and told in docs/reference/outputs.md
        assert about["scale"] == [PIXEL_SIZES[axis] * HALVED.get(axis, 1) for axis in "tzyx"]
        assert dict(zip(about["axis_labels"], about["units"], strict=True)) == UNITS


@pytest.mark.parametrize("path", ARRAYS)
def test_zarr_and_dask_read_each_array(output: Output, path: str) -> None:
    stored, lazy = output.group("")[path], da.from_zarr(output.url, component=path)
    assert isinstance(stored, zarr.Array)
    assert stored.dtype == output.arrays[path].dtype
    assert stored.metadata.zarr_format == FORMATS[output.version].zarr_format
    assert lazy.chunksize == (1, 1, 1, *SHAPE[3:])
    assert stored.metadata.encode_chunk_key((1, 0, 2, 0, 0)).endswith("1/0/2/0/0")
    for values in (stored[...], lazy.compute()):
        np.testing.assert_array_equal(values, output.arrays[path])
