"""What README and docs show of YAML, functions and messages is taken as it stands there."""

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import yaml
from dask_jobqueue.slurm import SLURMJob

from idr_assets import DaskCluster, SegmentedImage
from idr_assets.command_line import COMMANDS
from idr_assets.imaging.segmentation.cutting import make_form
from idr_assets.imaging.segmentation.tiles.arrays import label_array
from idr_assets.imaging.segmentation.works_on import works_on
from idr_assets.orchestration.cluster.resource import DaskResource
from idr_assets_tests.support.dagster_home import ROOT
from idr_assets_tests.support.idr_stores import write_image
from idr_assets_tests.support.image_project import ImageProject
from idr_assets_tests.support.small_image import PIXELS

PAGES = {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / "docs").rglob("*.md"))}
PAGES["README.md"] = (ROOT / "README.md").read_text()

YAMLS = [
    pytest.param(block, id=f"{page}-{number}")
    for page, text in PAGES.items()
    for number, block in enumerate(re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    if block.startswith(("type: idr_assets.Segmented", "  "))
]
"""Of an image or a plate: the whole of it, or fields."""

STEPS = {"index": "nuclei_by_level", "large_planes": "cells_of_a_slide"}
"""The functions of the pages in docs/segmentation."""

OWN_FUNCTION = re.compile(r"^```python\n((?:(?!```).)*?@per_plane.*?)^```", re.DOTALL | re.MULTILINE)

OURS = PAGES["docs/reference/troubleshooting.md"].partition("## Not from this project")[0]
MESSAGES = re.findall(r"^\| `(.+?)` \| ", OURS, re.MULTILINE)


@pytest.fixture
def project(tmp_path: Path) -> ImageProject:
    """Give a project with the README's own function beside it."""
    project = ImageProject(tmp_path)
    project.write()
    (snippet,) = OWN_FUNCTION.findall(PAGES["README.md"])
    (tmp_path / "my_package").mkdir()
    recipes = [
        snippet,
        *(snippet_of("how_to/own_segmentation", name) for name in ("cells", "calm")),
        snippet_of("how_to/models", "nuclei"),
    ]
    (tmp_path / "my_package/recipes.py").write_text("\n".join(recipes))
    steps = [snippet_of(f"segmentation/{page}", name) for page, name in STEPS.items()]
    (tmp_path / "my_package/steps.py").write_text("\n".join(steps))
    (tmp_path / "my_package/measurements.py").write_text(snippet_of("how_to/measure", "marker"))
    (layout,) = re.findall(r"^```csv\n(well,.*?)^```", PAGES["docs/how_to/plates.md"], re.DOTALL | re.MULTILINE)
    project.yaml.with_name("layout.csv").write_text(layout)
    return project


def snippet_of(page: str, function: str) -> str:
    """Give the code of a function that a guide shows."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGES[f"docs/{page}.md"], re.DOTALL | re.MULTILINE)
    return next(str(block) for block in blocks if f"def {function}(" in block)


@pytest.mark.parametrize("yaml", YAMLS)
def test_yaml_loads(project: ImageProject, yaml: str) -> None:
    if re.search("^  (url|endpoint):", yaml, re.MULTILINE):
        project.write(url=None)
    project.yaml.write_text(yaml if yaml.startswith("type:") else project.yaml.read_text() + yaml)
    assert project.load().resources


def test_own_function_segments(project: ImageProject) -> None:
    (yaml,) = re.findall(r"  segmentation:\n    function: my_package[^`]*", PAGES["README.md"])
    project.yaml.write_text(project.yaml.read_text() + yaml)
    image = (project.load().resources or {})["image_io"].images[0]
    planes = np.full((2, 60, 80), 100, ">u2")
    planes[:, 10:15, 10:15] = planes[:, 30:35, 50:55] = planes[1, 50:54, 20:24] = 3000
    planes[:, :, 60:] += 2000  # light that is no spot
    labels = image.recipe.function(da.from_array(planes), **image.recipe.parameters).compute()
    assert labels.dtype == np.int32
    assert labels.max(axis=(1, 2)).tolist() == [2, 3]
    assert (labels[1, 12, 12], labels[1, 52, 22]) == (1, 3)


def test_the_volume_function_of_the_guide_labels_in_space() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGES["docs/how_to/own_segmentation.md"], re.DOTALL | re.MULTILINE)
    (snippet,) = (block for block in blocks if "@per_volume" in block)
    names: dict[str, Any] = {}
    exec(snippet, names)  # noqa: S102
    volumes = np.full((1, 7, 40, 40), 100, ">u2")
    volumes[0, :3, 5:15, 5:15] = volumes[0, 4:, 25:35, 25:35] = 3000
    labels = names["nuclei_in_space"](da.from_array(volumes)).compute()
    assert [np.unique(plane).tolist() for plane in labels[0]] == [*[[0, 1]] * 3, [0, 1, 2], *[[0, 2]] * 3]


def test_the_function_of_channels_of_the_guide_labels_cells() -> None:
    names: dict[str, Any] = {}
    exec(snippet_of("how_to/own_segmentation", "cells"), names)  # noqa: S102
    nuclei, cytoplasm = np.zeros((2, 40, 60), "u2")
    nuclei[15:20, 10:15] = nuclei[15:20, 30:35] = 3000
    cytoplasm[:, :22] = cytoplasm[:, 24:] = 1000  # a dark border between two cells
    labels = names["cells"].__wrapped__(nuclei, cytoplasm)
    assert (labels[17, 21], labels[17, 26], labels.max()) == (1, 2, 2)


@pytest.mark.parametrize(("page", "name"), STEPS.items())
def test_the_functions_of_the_steps_label_planes_and_tiles(page: str, name: str) -> None:
    names: dict[str, Any] = {}
    exec(snippet_of(f"segmentation/{page}", name), names)  # noqa: S102
    planes = np.full((2, 150, 200), 100, ">u2")
    planes[:, 10:15, 10:15] = planes[1, 95:105, 95:105] = 3000  # the second one in four tiles
    labels = names[name](da.from_array(planes)).compute()
    assert labels.max(axis=(1, 2)).tolist() == [1, 2]
    if works_on(names[name]).tiles:
        form = make_form(works_on(names[name]), {"size": 21, "level": 400.0})
        by_tiles, _ = label_array(form, planes[1].astype("u2"), (100, 100))
        assert np.array_equal(by_tiles, labels[1])


def test_the_function_with_a_model_of_the_guide_labels_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names: dict[str, Any] = {}
    exec(snippet_of("how_to/models", "nuclei"), names)  # noqa: S102
    (tmp_path / "nuclei.txt").write_text("0.01 -0.004 -3\n")
    planes = np.full((3, 40, 60), 100, ">u2")
    planes[:, 5:15, 5:15] = planes[1:, 20:30, 40:50] = 3000
    labels = names["nuclei"](da.from_array(planes), weights=str(tmp_path / "nuclei.txt"), batch=2).compute()
    assert labels.max(axis=(1, 2)).tolist() == [1, 2, 2]


def test_the_jobs_of_the_guide_ask_for_a_gpu_and_tell_dask_of_it() -> None:
    blocks = re.findall(
        r"^```yaml\n(type: idr_assets.DaskCluster.*?)^```", PAGES["docs/how_to/models.md"], re.DOTALL | re.MULTILINE
    )
    (slurm,) = (yaml.safe_load(block)["attributes"] for block in blocks if "SLURM" in block)
    script = SLURMJob(scheduler="tcp://127.0.0.1:8786", name="gpu", **slurm["arguments"]).job_script()
    assert "#SBATCH --gres=gpu:1\n" in script
    assert re.search("--nthreads 4 .*--resources GPU=1$", script, re.MULTILINE)
    for attributes in map(yaml.safe_load, blocks):
        DaskResource(**attributes["attributes"])


def test_the_measurement_of_the_guide_counts_spots() -> None:
    names: dict[str, Any] = {}
    exec(snippet_of("how_to/measure", "marker"), names)  # noqa: S102
    labels, pixels = np.zeros((20, 30), np.int32), np.full((20, 30), 100, "u2")
    labels[2:12, 2:12], labels[2:12, 15:25] = 2, 7
    pixels[5:7, 5:8] = 900
    found = names["marker"](labels, {"DAPI": pixels, "GFP": pixels})
    assert {name: values.tolist() for name, values in found.items()} == {"spot_share": [0.06, 0], "spot_pixels": [6, 0]}


def test_the_yaml_of_the_tutorial_fits_the_image_of_the_tutorial(
    project: ImageProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("IDR_ASSETS_DATA", str(project.root / "data"))
    script, yaml = (
        re.findall(rf"^```{language}[^\n]*\n(.*?)^```", PAGES["docs/tutorial.md"], re.DOTALL | re.MULTILINE)[0]
        for language in ("python", "yaml")
    )
    exec(script, {})  # noqa: S102
    project.yaml.write_text(yaml)
    image = (project.load().resources or {})["image_io"].images[0]
    image.source.check(image.source.open())


@pytest.mark.processes
def test_planes_are_segmented_without_dagster_as_the_guide_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "data/synthetic_embryo.zarr", PIXELS, version="0.4")
    monkeypatch.chdir(tmp_path)
    (script,) = re.findall(
        r"^```python\n([^`]*SegmentationRun[^`]*)^```", PAGES["docs/how_to/notebooks.md"], re.MULTILINE
    )
    exec(script, {})  # noqa: S102
    planes = re.findall(r"^PlaneSummary\(plane=Plane\(t=(\d), c=0, z=(\d)\)", capsys.readouterr().out, re.MULTILINE)
    assert sorted(planes) == [(t, z) for t in "12" for z in "4567"]


def test_the_guide_shows_the_function_of_the_readme() -> None:
    guide = PAGES["docs/how_to/own_segmentation.md"]
    assert OWN_FUNCTION.findall(guide)[:1] == OWN_FUNCTION.findall(PAGES["README.md"])


def test_the_readme_is_read_in_four_minutes() -> None:
    assert len(PAGES["README.md"].split()) <= 1000


def texts() -> Iterator[str]:
    """Give every text in the code, with `...` for what is filled in."""
    for path in (ROOT / "idr_assets").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.JoinedStr(values=parts):
                    yield "".join(str(part.value) if isinstance(part, ast.Constant) else "..." for part in parts)
                case ast.Constant(value=str(text)):
                    yield re.sub(r"%\w", "...", text)


def test_the_code_has_each_message_of_the_troubleshooting_table() -> None:
    code = "\n".join(texts())
    patterns = {message: ".*?".join(map(re.escape, message.split("..."))) for message in MESSAGES}
    assert len(patterns) > 30
    assert [message for message, pattern in patterns.items() if not re.search(pattern, code)] == []


def test_the_reference_has_each_field_and_each_command() -> None:
    tables = runpy.run_path(str(ROOT / "docs/hooks.py"))["TABLES"]
    image = tables["fields"]("SegmentedImage")
    for name, field in SegmentedImage.model_fields.items():
        assert re.search(rf"^\| `{name}` \| .*\S.* \| .*\w+.* \|$", image, re.MULTILINE)
        for nested in getattr(field.annotation, "model_fields", {}):
            assert f"| `{nested}` | " in image
    assert "| `level` | string or integer | **required** | " in image
    assert "| `shape` | list of 5: integer above 0 | **required** | " in image
    assert "| `t` | list of 2: integer, 0 or more or `all` | `all` | " in image
    assert all(f"| `{name}` | " in tables["fields"]("DaskCluster") for name in DaskCluster.get_model_cls().model_fields)
    assert all(f"Usage: idr-assets {name} " in tables["commands"]("main") for name in COMMANDS)
