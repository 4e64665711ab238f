"""Whatever a YAML and the name of its folder say, an image writes below IDR_ASSETS_DATA or is refused."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from idr_assets.orchestration.image import Image
from idr_assets_tests.support.image_project import ImageProject

ODD = ["..", ".", "\\", "%2e%2e", "%2F", "~", "::", "?", "#", "*", "é", " ", "a", "0"]
WAYS = [*ODD, "/", "//", "file://", "s3://", "\0", "\n", "{image_id}"]

names = st.lists(st.sampled_from(ODD), min_size=1, max_size=4).map("".join).filter(lambda name: name not in {".", ".."})
paths = st.lists(st.sampled_from(WAYS), min_size=1, max_size=6).map("".join)


def loaded(project: ImageProject) -> Image | None:
    """Give the image as Dagster loads it, or None where it is refused, or no image at all as hidden folders are."""
    try:
        resources = project.load().resources or {}
    except Exception:  # noqa: BLE001  Dagster's own class is private
        return None
    return next((manager.images[0] for key, manager in resources.items() if key.endswith("_io")), None)


@settings(max_examples=15, phases=[Phase.explicit, Phase.generate])
@given(name=names | st.just("image"), level=paths, url=paths)
@example(name="image", level="../../0", url="../../other.zarr")
@example(name="image", level="/0", url="/other.zarr")
@example(name="..%2f..", level="0", url="source.zarr")
@example(name="a..", level="0", url="source.zarr")
def test_every_output_lies_below_the_data_folder(
    tmp_path_factory: pytest.TempPathFactory, name: str, level: str, url: str
) -> None:
    root = tmp_path_factory.mktemp("project")
    project = ImageProject(root, name)
    project.write(level=json.dumps(level), url=json.dumps(url))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IDR_ASSETS_DATA", str(root / "data"))
        image = loaded(project)
        plain = bool(re.fullmatch("[a-z0-9]+", name))
        assert plain or image is None
        if image:
            outputs = [Path(each) for each in (image.labels_url, image.counts_url("png"), *image.objects_urls.values())]
            assert [path for path in outputs if not path.resolve().is_relative_to(root / "data" / "")] == []
            assert [path for path in outputs if not path.relative_to(root / "data").parts[0].startswith(name)] == []
