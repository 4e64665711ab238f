"""What `idr-assets show` shows of the demo, asked of napari's own model without a window: `make test-view`."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import zarr

from idr_assets.imaging.synthetic_embryo import CHANNELS, FRAME_SECONDS, VOXEL_UM
from idr_assets_tests.support.dagster_home import DagsterHome, dagster_home

pytestmark = [
    pytest.mark.processes,
    pytest.mark.filterwarnings("ignore"),  # of napari and of Qt
    pytest.mark.skipif(not find_spec("PyQt6"), reason="make test-view installs it"),
]

WINDOW = np.s_[1:11, 0, 3:13]
SCALE = [FRAME_SECONDS, *VOXEL_UM]
COLOURS = np.array([[0, 255, 255, 255], [0xFF, 0x3D, 0x9A, 255]]) / 255  # as in CHANNELS
CONTRASTS = [[100, brightest] for _, _, brightest in CHANNELS]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterHome]:
    """Segment, measure and publish the demo."""
    with dagster_home(tmp_path_factory.mktemp("home")) as home:
        for job in ("segment_demo", "measure_demo"):
            code, output = home.run(f"dg launch --job {job}")
            assert code == 0, output
        yield home


def open_viewer(home: DagsterHome, name: str) -> Any:  # noqa: ANN401  napari has no types
    """Open an image as the command does, without a window."""
    from napari.components import ViewerModel  # noqa: PLC0415  it takes seconds
    from napari.plugins import _initialize_plugins  # noqa: PLC0415

    _initialize_plugins()
    viewer = ViewerModel()
    viewer.open(str(home.data / name), plugin="napari-ome-zarr")
    return viewer


def stored(home: DagsterHome, name: str) -> npt.NDArray[Any]:
    """Read the planes of the window, (t, z, y, x)."""
    array = zarr.open_array(home.data / name, mode="r")
    return np.asarray(array[WINDOW])


def shown(viewer: Any, layer: Any, index: tuple[int, ...]) -> Any:  # noqa: ANN401
    """Return what the layer shows at a point of the world, where its sliders stand at the plane of that point."""
    point = [step * at for step, at in zip(SCALE, index, strict=True)]
    viewer.dims.set_point(range(2), point[:2])
    layer.visible = True
    return layer.get_value(point, world=True)


@pytest.mark.parametrize(
    ("name", "image", "channels", "first"),
    [("demo/published.ome.zarr", "demo", 1, (0, 0)), ("demo.ome.zarr", "synthetic_embryo.zarr", 2, (1, 3))],
)
def test_labels_lie_over_pixels_with_their_names_and_colours(
    home: DagsterHome, name: str, image: str, channels: int, first: tuple[int, int]
) -> None:
    viewer = open_viewer(home, name)
    images, labels = list(viewer.layers)[:channels], list(viewer.layers)[channels:]
    assert [layer.name for layer in images] == [f"{image}: {channel}" for channel, _, _ in CHANNELS[:channels]]
    assert [layer.name.partition(" [")[0] for layer in labels] == ["segmentation"] * channels
    for layer in viewer.layers:
        assert layer.data.shape == images[0].data.shape
        np.testing.assert_allclose(layer.scale, SCALE)
        np.testing.assert_array_equal(layer.translate, 0)
        assert layer.axis_labels == tuple("tzyx")
    np.testing.assert_allclose([layer.colormap.map([1.0])[0] for layer in images], COLOURS[:channels], atol=0.01)

    t, z = (slice(at, at + 10) for at in first)
    pixels = stored(home, "synthetic_embryo.zarr/0")
    numbers = stored(home, "demo.ome.zarr/labels/segmentation/0")
    np.testing.assert_array_equal(images[0].data[t, z], pixels)
    np.testing.assert_array_equal(labels[0].data[t, z], numbers)
    inside = np.argwhere(numbers)[::9001]
    for at in inside:
        place = (at[0] + first[0], at[1] + first[1], *at[2:])
        assert shown(viewer, images[0], place) == pixels[tuple(at)]
        assert shown(viewer, labels[0], place) == numbers[tuple(at)]
    assert len(inside) > 10


def test_contrast_is_that_of_the_image_or_of_the_montage(home: DagsterHome) -> None:
    layers = list(open_viewer(home, "demo.ome.zarr").layers)
    assert [layer.contrast_limits for layer in layers[:2]] == CONTRASTS
    published = next(iter(open_viewer(home, "demo/published.ome.zarr").layers))
    black, white = published.contrast_limits
    shares = [float(np.mean(stored(home, "synthetic_embryo.zarr/0") <= limit)) for limit in (black, white)]
    np.testing.assert_allclose(shares, [0.01, 0.998], atol=0.005)
